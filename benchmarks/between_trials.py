"""The time between two trials on a warm worker, which is neither training nor validation.

`python -m benchmarks.between_trials [--device cuda] [--trials 9] [--artifacts PLACE] [--json]`,
from the checkout.

A real worker follows a real study on an embedded Postgres. A gap begins when a trial yields its
last epoch and ends with the first optimizer step of the next trial, less the usual time of a step.
Functions of the worker and the objective are timed. The target is 1 % of 60 s.
"""

import argparse
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import optuna
from scipy.stats import quantile_test
from torch.optim.optimizer import register_optimizer_step_post_hook

from benchmarks.pairs import FEWEST_PAIRS, report
from objectives import catalog, image_classifier
from objectives.contract import Attempt, DataSource, EpochResult, Objective
from search.processes.signals import StopFlag
from search.settings import Settings
from search.studies.create import store_study
from search.studies.declare import resolved
from search.studies.overrides import Overrides
from search.studies.prepare import Prepared
from search.worker import attempt, files, settle
from search.worker.loop import work
from search.worker.worker import Worker
from spaces.data import Digits
from spaces.params import Float, Value
from spaces.stored import data_to_json, from_json
from spaces.study import Pruning, Study
from storage.postgres import server
from storage.store import NewWorker, Store

TARGET_SECONDS = 0.6
THREADS = 1
EPOCHS, USUAL_STEPS = 1, 5
PARTS = (  # the functions that are timed, in the order of their calls; none calls another
    ("record", Store, "record"),
    ("badges", settle, "_show_badges"),
    ("files", files, "keep"),
    ("tell", Store, "tell"),
    ("look back", settle, "_look_back"),
    ("claim", Store, "claim"),
    ("draw", attempt, "_draw"),
    ("attempt", attempt, "_open_attempt"),
    ("images", image_classifier, "open_images"),
    ("network", image_classifier, "build_classifier"),
)
NOTES = (
    "gap: the median; low, high: its 95 % interval; computed: without waiting for disk, database "
    "and other processes; parts: median ms, as they happen"
)
Moment = tuple[float, float]  # seconds of the wall clock, and of this thread's CPU time


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network on digits."""

    backbone: str
    image_size: int
    batch_size: int
    images: int = 0  # that it trains on; 0 is all of them

    @property
    def study(self) -> Study:
        """A study of trials that differ in their learning rate alone."""
        fixed: dict[str, Value] = {"weights": "none", "augmentation": "shift"}
        fixed |= {"epochs": EPOCHS, "warmup_epochs": 0}
        fixed |= {name: value for name, value in vars(self).items() if name != "images"}
        fixed |= {"max_train_samples": self.images, "max_val_samples": self.images}
        return Study(
            name=f"{self.backbone}-{self.image_size}",
            objective="image_classifier",
            data=Digits(),
            metric="val_loss",
            direction="minimize",
            fixed=fixed,
            space=[Float("learning_rate", 1e-4, 1e-2, log=True)],
            pruning=Pruning("none"),
        )


CASES = {
    "cpu": [
        Case(backbone="small_cnn", image_size=32, batch_size=64),
        Case(backbone="resnet18", image_size=32, batch_size=32, images=256),
        Case(backbone="resnet50", image_size=224, batch_size=4, images=24),
    ],
    "cuda": [
        Case(backbone="small_cnn", image_size=32, batch_size=64),
        Case(backbone="resnet18", image_size=32, batch_size=64),
        Case(backbone="resnet50", image_size=224, batch_size=64),
    ],
}


@dataclass(frozen=True)
class Gap:
    """The time between two trials."""

    seconds: float
    computed_seconds: float  # CPU time of the worker's own thread
    parts: Mapping[str, float]  # milliseconds of the wall clock, by part


@dataclass
class Watch:
    """The moments at which a worker did things."""

    steps: list[Moment] = field(default_factory=list)  # the end of each optimizer step
    lasts: list[Moment] = field(default_factory=list)  # the last epoch of each trial
    spans: list[tuple[str, Moment, Moment]] = field(default_factory=list)  # a part, from, to

    def timing(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a function so that its calls become spans of this part."""

        def timed(*arguments: Any, **named: Any) -> Any:
            began = now()
            try:
                return function(*arguments, **named)
            finally:
                self.spans.append((part, began, now()))

        return timed

    def following(self, objective: Objective, epochs: int) -> Objective:
        """Wrap an objective so that its last epoch, and the span after it, are noted."""

        def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
            for result in objective(config, attempt):
                if result.epoch == epochs:
                    self.lasts.append(now())
                yield result
                resumed = now()
            self.spans.append(("objective's end", resumed, now()))

        return train

    def gaps(self) -> Iterator["Gap"]:
        """Compute the gap between each trial and the next."""
        for last in self.lasts[:-1]:
            steps = [step for step in self.steps if step > last][:USUAL_STEPS]
            usual = [
                median(after[clock] - before[clock] for before, after in pairwise(steps))
                for clock in (0, 1)
            ]
            seconds, computed = (steps[0][each] - last[each] - usual[each] for each in (0, 1))
            parts: dict[str, float] = defaultdict(float)
            for name, began, ended in self.spans:
                if last <= began < steps[0]:
                    parts[name] += (ended[0] - began[0]) * 1000
            rest = seconds * 1000 - sum(parts.values())
            yield Gap(seconds, computed, {**parts, "rest": rest})


def now() -> Moment:
    """Read both clocks."""
    return time.perf_counter(), time.thread_time()


def main() -> None:
    """Let a worker follow a study for each case, and print the gaps between its trials."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=CASES, default="cpu")
    parser.add_argument("--trials", type=int, default=9, help="one more than there are gaps")
    parser.add_argument("--artifacts", help="a folder or s3://bucket, as SEARCH_ARTIFACTS")
    parser.add_argument("--json", action="store_true", help="only the lines of JSON")
    chosen = parser.parse_args()
    if chosen.trials <= FEWEST_PAIRS:
        raise SystemExit(f"--trials {chosen.trials} leave too few gaps; give {FEWEST_PAIRS + 1}")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # like in every worker
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), shared_artifacts=chosen.artifacts)
        try:
            with server.connect(settings.home, None) as url, Store.open(url) as store:
                rows = (
                    measure(case, chosen.trials, chosen.device, settings, store)
                    for case in CASES[chosen.device]
                )
                report("between_trials", rows, chosen.device, notes=NOTES, as_json=chosen.json)
        finally:
            server.remove(settings.home)


def measure(
    case: Case, trials: int, device: str, settings: Settings, store: Store
) -> dict[str, Any]:
    """Measure one row: the case, its gap with its parts, and the verdict."""
    watch = Watch()
    follow(watch, open_worker(replace(case.study, trials=trials), device, settings, store))
    gaps = list(watch.gaps())
    seconds = [gap.seconds for gap in gaps]
    interval = quantile_test(seconds, q=median(seconds), p=0.5).confidence_interval(0.95)
    return {
        "case": f"{case.backbone} {case.image_size} px",
        "artifacts": (settings.shared_artifacts or "here").partition(":")[0],
        "gap_s": round(median(seconds), 3),
        "low": round(float(interval.low), 3),
        "high": round(float(interval.high), 3),
        "computed_s": round(median(gap.computed_seconds for gap in gaps), 3),
        "gaps": len(gaps),
        "verdict": verdict(float(interval.low), float(interval.high)),
        "parts": {
            name: round(median(gap.parts.get(name, 0.0) for gap in gaps), 1)
            for name in gaps[0].parts
        },
    }


def verdict(low: float, high: float) -> str:
    """Say whether the whole interval is on one side of the target."""
    if high <= TARGET_SECONDS:
        return f"{TARGET_SECONDS} s reached"
    return f"{TARGET_SECONDS} s missed" if low > TARGET_SECONDS else "inside the noise"


def open_worker(study: Study, device: str, settings: Settings, store: Store) -> Worker:
    """Store a study and set up a worker for it, like `search run` and `search worker` do."""
    plain = DataSource(layout=data_to_json(study), folder=None, split_seed=study.seed)
    source = catalog.list_data(study.objective, plain)
    prepared = Prepared(stored=resolved(study), source=source, manifest=source.manifest)
    row = store_study(prepared, Overrides(study.name), settings, store)
    name = f"worker of {study.name}"
    own = {"host": "here", "pid": os.getpid(), "device": device, "threads": THREADS}
    store.register_worker(study.name, NewWorker(name=name, **own))
    stored = from_json(row.definition)
    return Worker(
        name=name,
        stored=stored,
        store=store,
        settings=settings,
        data=source,
        device=device,
        threads=THREADS,
        flag=StopFlag(),
    )


def follow(watch: Watch, worker: Worker) -> None:
    """Let the worker follow its study to the end, watched."""
    train = watch.following(image_classifier.train, EPOCHS)
    hook = register_optimizer_step_post_hook(lambda *_: watch.steps.append(now()))
    with ExitStack() as stack:
        stack.callback(hook.remove)
        stack.enter_context(patch.object(image_classifier, "train", train))
        for part, owner, name in PARTS:
            timed = watch.timing(part, getattr(owner, name))
            stack.enter_context(patch.object(owner, name, timed))
        work(worker)


if __name__ == "__main__":
    main()
