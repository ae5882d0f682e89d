"""The cost of a trial's bookkeeping, in our engine and in plain Optuna, on the same Postgres.

`python -m benchmarks.engine [--sizes 0 1000 10000] [--trials 12] [--json]`, from the checkout.

Ours is the whole of a worker's trial, training apart: claim, draw, record and judge five epochs,
keep five files, badges, tell, look back. Plain Optuna does ask, suggest, five times report and
should_prune, tell. Both draw eight parameters with Optuna's default sampler. CPU is that of this
process and of every process of Postgres.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import optuna
import psutil
from sqlalchemy import Engine, create_engine, text

from benchmarks.pairs import report
from benchmarks.proxy import proxied
from objectives import catalog
from objectives.contract import RECORDS, Attempt, DataSource, EpochResult
from search.processes.signals import StopFlag
from search.settings import LEASE_SECONDS, Settings
from search.studies.declare import resolved
from search.worker.attempt import attempt_trial
from search.worker.leased_trial import LeasedTrial
from search.worker.settle import settle
from search.worker.worker import Worker
from spaces.params import Choice, Float, Int
from spaces.stored import to_json
from spaces.study import Study
from storage.postgres import server
from storage.store import Claim, NewStudy, NewWorker, Store

EPOCHS, METRICS, SLOW_SECONDS = 5, 10, 0.005
STUDY = Study(
    name="ours",
    objective="image_classifier",
    metric="val_loss",
    direction="minimize",
    trials=10**6,
    fixed={"epochs": EPOCHS},
    space=[
        Float("learning_rate", 1e-5, 1e-1, log=True),
        Float("weight_decay", 1e-6, 1e-2, log=True),
        Float("dropout", 0.0, 0.5),
        Int("warmup_epochs", 0, 4),
        Choice("backbone", ("resnet18", "resnet34", "resnet50")),
        Choice("batch_size", (16, 32, 64)),
        Choice("augmentation", ("none", "light", "strong")),
        Choice("balancing", ("none", "sampler", "ldam")),
    ],
)
STORED = resolved(STUDY)
NOTES = "a trial: median CPU ms of client and server, statements, round trips, ms at 5 ms a trip"
Turn = Callable[[], None]

# Copies of a study's first trial, with values of their own.
FILL = """
INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete)
SELECT n, :study, 'COMPLETE', now(), now() FROM generate_series(:first, :last) n;
INSERT INTO trial_values (trial_id, objective, value, value_type)
SELECT trial_id, 0, .2 + random(), 'FINITE' FROM trials
 WHERE study_id = :study AND number >= :first;
INSERT INTO trial_intermediate_values
       (trial_id, step, intermediate_value, intermediate_value_type)
SELECT trial_id, s, 1.0 / s + random() / 10, 'FINITE' FROM trials, generate_series(1, 5) s
 WHERE study_id = :study AND number >= :first;
INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
SELECT t.trial_id, p.param_name, CASE
       WHEN p.space ? 'choices' THEN floor(random() * jsonb_array_length(p.space -> 'choices'))
       WHEN p.space ->> 'log' = 'true' THEN exp(ln((p.space ->> 'low')::float) + random()
            * ln((p.space ->> 'high')::float / (p.space ->> 'low')::float))
       ELSE floor((p.space ->> 'low')::float + random() * (p.space ->> 'high')::float) END,
       p.distribution_json
  FROM trials t, (SELECT *, distribution_json::jsonb -> 'attributes' AS space FROM trial_params
                   WHERE trial_id = (SELECT min(trial_id) FROM trials WHERE study_id = :study)) p
 WHERE t.study_id = :study AND t.number >= :first;
"""
FILL_OURS = """
INSERT INTO search_service.attempts
       (trial_id, attempt, worker_id, lease_seconds, ended_at, reason, ends_trial)
SELECT trial_id, 1, 'worker', 30, now(), 'finished', true FROM trials
 WHERE study_id = :study AND number >= :first;
INSERT INTO search_service.epochs (trial_id, epoch, attempt, value, metrics, seconds, images)
SELECT i.trial_id, i.step, 1, i.intermediate_value, json_build_object('val_loss', 1), 1, 1000
  FROM trial_intermediate_values i JOIN trials t ON t.trial_id = i.trial_id
 WHERE t.study_id = :study AND t.number >= :first;
"""


def main() -> None:
    """Measure both in studies of each size and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[0, 1000, 10_000])
    parser.add_argument(
        "--trials", type=int, default=12, help="trials of each, after one uncounted"
    )
    parser.add_argument("--json", action="store_true", help="only the lines of JSON")
    chosen = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            with server.connect(home, None) as url:
                rows = measure(url, home, chosen.sizes, chosen.trials)
                report("engine", rows, "cpu", notes=NOTES, as_json=chosen.json)
        finally:
            server.remove(home)


def measure(url: str, home: Path, sizes: list[int], trials: int) -> Iterator[dict[str, Any]]:
    """Measure a row for a study of each size."""
    with proxied(url, home) as (slow_url, proxy), Store.open(url) as store:
        engine = create_engine(url)
        clock = Clock(engine)
        ours, plain = our_turn(store, home), plain_turn(url)
        ours(), plain()
        with Store.open(slow_url) as slow_store:
            counted = our_turn(slow_store, home), plain_turn(slow_url)
            for size in sizes:
                fill(engine, size)
                ours(), plain()  # what a process reads only once
                costs = [(clock.of(ours), clock.of(plain)) for _ in range(trials)]
                ours_ms, plain_ms = (median(column) for column in zip(*costs, strict=True))
                row = {
                    "trials there": size,
                    "ours_cpu_ms": round(ours_ms, 1),
                    "plain_cpu_ms": round(plain_ms, 1),
                    "ratio": round(ours_ms / plain_ms, 2),
                }
                for name, turn in zip(("ours", "plain"), counted, strict=True):
                    turn()
                    before = proxy.statements, proxy.trips
                    turn()
                    row[f"{name}_statements"] = proxy.statements - before[0]
                    row[f"{name}_trips"] = proxy.trips - before[1]
                    proxy.delay_seconds, started = SLOW_SECONDS, time.perf_counter()
                    turn()
                    row[f"{name}_slow_ms"] = round((time.perf_counter() - started) * 1000)
                    proxy.delay_seconds = 0.0
                yield row
        engine.dispose()


class Clock:
    """The CPU time of this process and of the server's processes."""

    def __init__(self, engine: Engine) -> None:
        with engine.connect() as connection:
            backend = connection.scalar(text("SELECT pg_backend_pid()"))
        self._server = psutil.Process(psutil.Process(backend).ppid())

    def of(self, turn: Turn) -> float:
        """Return the milliseconds that a turn takes of both."""
        before, served = time.process_time(), self._served()
        turn()
        return (time.process_time() - before + self._served() - served) * 1000

    def _served(self) -> float:
        processes = [self._server, *self._server.children()]
        texts = (Path(f"/proc/{each.pid}/schedstat").read_text() for each in processes)
        return sum(int(each.split()[0]) for each in texts) / 1e9


def fill(engine: Engine, size: int) -> None:
    """Add ended trials to both studies until they have this many."""
    with engine.begin() as connection:
        for name, statements in (("ours", FILL + FILL_OURS), ("plain", FILL)):
            query = "SELECT study_id FROM studies WHERE study_name = :name"
            study = connection.scalar(text(query), {"name": name})
            count = "SELECT count(*) FROM trials WHERE study_id = :study"
            first = connection.scalar(text(count), {"study": study})
            given = {"study": study, "first": first, "last": size - 1}
            for statement in statements.split(";\n")[:-1] if first < size else ():
                connection.execute(text(statement.replace("::", r"\:\:")), given)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def our_turn(store: Store, home: Path) -> Turn:
    """Return the turn that does all that a worker does around a trial."""
    if STUDY.name not in [row.name for row in store.studies()]:
        prints = {"fingerprint": "fingerprint", "data_fingerprint": "data"}
        new = {"definition": to_json(STORED), "direction": "minimize", "trials": None}
        store.create(NewStudy(name=STUDY.name, **prints, **new))
    store.register_worker(
        STUDY.name, NewWorker(name="worker", host="host", pid=os.getpid(), device="cpu", threads=1)
    )
    worker = Worker(
        name="worker",
        stored=STORED,
        store=store,
        settings=Settings(home=home),
        data=DataSource(layout={"kind": "none"}),
        device="cpu",
        threads=1,
        flag=StopFlag(),
    )

    def turn() -> None:
        claim = store.claim(STUDY.name, "worker", lease_seconds=LEASE_SECONDS)
        assert isinstance(claim, Claim)
        leased = LeasedTrial(worker, claim)
        with patch.object(catalog, "load", lambda _: train):
            settle(leased, attempt_trial(leased))

    return turn


def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
    """Yield the epochs of a curve without training, and leave the files of a trial."""
    for epoch in range(1, EPOCHS + 1):
        loss = 1 / epoch + config["dropout"] / 10
        numbers = {f"metric_{each}": loss for each in range(1, METRICS)}
        metrics = {"val_loss": loss, **numbers}
        yield EpochResult(epoch=epoch, metrics=metrics, seconds=1.0, images=1000)
    for name in RECORDS:
        (attempt.folder / name).write_bytes(b"a record")


def plain_turn(url: str) -> Turn:
    """Return the turn that does the next trial of plain Optuna."""
    study = optuna.create_study(storage=url, study_name="plain", load_if_exists=True)

    def turn() -> None:
        trial = study.ask()
        config = STORED.config(STUDY.space.suggest(trial))
        for epoch in range(1, EPOCHS + 1):
            trial.report(1 / epoch + config["dropout"] / 10, epoch)
            trial.should_prune()
        study.tell(trial, 1 / EPOCHS + config["dropout"] / 10)

    return turn


if __name__ == "__main__":
    main()
