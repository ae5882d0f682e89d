"""The bookkeeping of a trial in our Store against that of plain Optuna, on the same Postgres.

`python -m benchmarks.store [--pairs 20] [--trials 1000] [--json]`, from the checkout.

Ours does the same as a worker: claim, draw, record and judge five epochs, tell. Plain Optuna does:
ask, suggest, five times report and should_prune, tell. Both draw the same space with the same
sampler, and nothing is trained. Ours also keeps a lease, an attempt and ten metrics per epoch.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import optuna

from benchmarks.pairs import compare, report
from search.pruners.median import is_hopeless
from search.settings import LEASE_SECONDS
from search.studies.declare import resolved
from search.worker.trial import completed_curves, curve_of
from spaces.load import load_study
from spaces.study import Study
from storage.postgres import server
from storage.rows import Outcome, TrialEnd
from storage.store import Claim, NewStudy, NewWorker, Store

EPOCHS, METRICS = 5, 10
STUDY = load_study("digits")
STORED = resolved(STUDY)
NOTES = "ratio: plain ms / ours; low, high: 95 % interval; parts: median ms, in their order"


@dataclass
class Watch:
    """The milliseconds of one side, by trial and part."""

    trials: list[dict[str, float]] = field(default_factory=list)  # the sum of each part

    def begin(self) -> None:
        """Start the account of a new trial."""
        self.trials.append(defaultdict(float))

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        """Add the block's time to a part of the newest trial."""
        started = time.perf_counter()
        yield
        self.trials[-1][part] += (time.perf_counter() - started) * 1000

    def parts(self, last: int) -> dict[str, float]:
        """Compute the median of each part over the newest trials."""
        newest = self.trials[-last:]
        return {part: round(median(trial[part] for trial in newest), 1) for part in newest[0]}


def main() -> None:
    """Compare both in a new study and in one of many trials, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=20, help="trials of each, after one uncounted")
    parser.add_argument("--trials", type=int, default=1000, help="number of trials in the end")
    parser.add_argument("--json", action="store_true", help="only the lines of JSON")
    chosen = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            with server.connect(home, None) as url, Store.open(url) as store:
                rows = measure(url, store, chosen.pairs, chosen.trials)
                report("store", rows, "cpu", notes=NOTES, as_json=chosen.json)
        finally:
            server.remove(home)


def measure(url: str, store: Store, pairs: int, trials: int) -> Iterator[dict[str, Any]]:
    """Measure a row for a new study and one for a study of this many trials."""
    our_watch, plain_watch = Watch(), Watch()
    ours = our_trial(store, our_watch)
    plain = plain_trial(url, plain_watch)
    for existing in (0, trials):
        while len(our_watch.trials) < existing:
            ours(), plain()
        seen = compare(ours, plain, pairs)
        yield {
            "trials there": existing,
            "ours_ms": round(seen.ours_seconds * 1000, 1),
            "plain_ms": round(seen.bare_seconds * 1000, 1),
            "ratio": round(seen.ratio, 2),
            "low": round(seen.low, 2),
            "high": round(seen.high, 2),
            "pairs": pairs,
            "verdict": seen.verdict(1.0),
            "our parts": our_watch.parts(pairs),
            "plain parts": plain_watch.parts(pairs),
        }


def our_trial(store: Store, watch: Watch) -> Callable[[], float]:
    """Return the turn that does the bookkeeping of our next trial, like `search.worker`."""
    study = replace(STUDY, name="ours")
    prints = {"fingerprint": "fingerprint", "data_fingerprint": "data"}
    new = {"definition": {}, "direction": "minimize", "trials": None}
    store.create(NewStudy(name=study.name, **prints, **new))
    worker = NewWorker(name="worker", host="host", pid=1, device="cpu", threads=1)
    store.register_worker(study.name, worker)
    learned = store.optuna_study(study.name, sampler=optuna.samplers.TPESampler(seed=1))

    def trial() -> float:
        watch.begin()
        started = time.perf_counter()
        with watch("claim"):
            claim = store.claim(study.name, "worker", lease_seconds=LEASE_SECONDS)
            assert isinstance(claim, Claim)
        with watch("draw"), store.trial(claim, learned) as drawn:
            config = STORED.config(study.space.suggest(drawn))
        values: dict[int, float] = {}
        for epoch, metrics in epochs(claim.number):
            values[epoch] = metrics["val_loss"]
            with watch("record"):
                store.record(claim, epoch, metrics, values[epoch], seconds=1.0, images=1000)
            with watch("judge"):
                judge(study, learned, config, values)
        with watch("tell"):
            end = TrialEnd(state="COMPLETE", value=values[EPOCHS], outcome=Outcome.FINISHED)
            store.tell(claim, end)
        return time.perf_counter() - started

    return trial


def judge(
    study: Study, learned: optuna.Study, config: dict[str, Any], values: Mapping[int, float]
) -> bool:
    """Ask our pruner, and go on whatever it says, like the trials of plain Optuna."""
    completed = completed_curves(STORED, learned.get_trials(deepcopy=False), {})
    return is_hopeless(study, curve_of(study, config, values), completed)


def plain_trial(url: str, watch: Watch) -> Callable[[], float]:
    """Return the turn that does the bookkeeping of the next trial of plain Optuna."""
    sampler, pruner = optuna.samplers.TPESampler(seed=1), optuna.pruners.MedianPruner()
    study = optuna.create_study(storage=url, study_name="plain", sampler=sampler, pruner=pruner)

    def trial() -> float:
        watch.begin()
        started = time.perf_counter()
        with watch("ask"):
            drawn = study.ask()
        with watch("suggest"):
            STORED.config(STUDY.space.suggest(drawn))
        for epoch, metrics in epochs(drawn.number):
            with watch("report"):
                drawn.report(metrics["val_loss"], epoch)
            with watch("should_prune"):
                drawn.should_prune()
        with watch("tell"):
            study.tell(drawn, metrics["val_loss"])
        return time.perf_counter() - started

    return trial


def epochs(number: int) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield the epochs of a falling curve, which is a little lower for some trials."""
    for epoch in range(1, EPOCHS + 1):
        loss = 1 / epoch + number % 7 / 100
        yield epoch, {"val_loss": loss, **{f"metric_{each}": loss for each in range(1, METRICS)}}


if __name__ == "__main__":
    main()
