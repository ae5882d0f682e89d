"""Two machines that work on one study and are lost in turn, each a single worker in its home."""

import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import TypeVar

import pytest

from objectives import catalog
from objectives.contract import BEST_WEIGHTS, Attempt, DataSource
from objectives.files.checkpoints import epoch_of
from search.seeds import training_seed
from spaces.stored import from_json
from storage import artifacts
from storage.artifacts import ArtifactStore
from storage.errors import DatabaseUnreachable
from storage.rows import AttemptRow
from storage.store import Store
from tests.acceptance.conftest import Place

EPOCHS, WEIGHT_BYTES = 8, 200_000
STUDY = """
from spaces.params import Float
from spaces.study import Pruning, Study

study = Study(
    name="toy", objective="toy_curve", metric="val_loss", direction="minimize",
    space=[Float("learning_rate", 1e-4, 1.0, log=True)], pruning=Pruning("none"),
)
"""
GOES_ON = re.compile(r"going on from epoch-(\d+)\S* which another machine shared")

T = TypeVar("T")


@dataclass
class Machines:
    """The workers of one study, one in each place.

    environments: the variables of each place.
    hosts: the name of each place's host, which only root may give; () for that of this machine.
    """

    study: str
    places: Sequence[Place]
    environments: Sequence[Mapping[str, str]]
    hosts: Sequence[str] = ()
    workers: dict[int, Popen[bytes]] = field(default_factory=dict)

    def store_study(self, trials: int) -> None:
        """Store the study, which begins with its first worker."""
        (self.places[0].folder / "moves.py").write_text(STUDY)
        given = (f"epochs={EPOCHS}", "seconds_per_epoch=0.25", f"weight_bytes={WEIGHT_BYTES}")
        words = [word for each in given for word in ("--set", each)]
        name = ("--study", "moves.py", "--as", self.study, "--workers", "0")
        run = ("run", *name, "--trials", str(trials), *words)
        # With a host of its own a machine has more of its own, as a clock that a process loads.
        search = self.places[0].search if self.hosts else self.places[0].search_here
        assert search(*run, environment=self.environments[0]) == 0

    def start(self, at: int) -> None:
        """Start the worker of a place."""
        words = ("worker", "--study", self.study)
        before = _as_host(self.hosts[at]) if self.hosts else ()
        environment = self.environments[at]
        self.workers[at] = self.places[at].start(*words, environment=environment, before=before)

    def lose(self, store: Store, kept: ArtifactStore, at: int | None = None) -> tuple[int, int]:
        """Kill a worker once its checkpoint is shared; wait until the other has its trial.

        Returns the trial's number and the epoch of that checkpoint. The worker starts again.

        at: its place; None for whichever has shared a checkpoint first.
        """
        among = list(self.workers) if at is None else [at]

        def find() -> tuple[int, AttemptRow, int] | None:
            found = (
                (each, _with_checkpoint(self.study, store, kept, self._names(each, store)))
                for each in among
            )
            return next(((each, *victim) for each, victim in found if victim), None)

        at, victim, epoch = wait(find)
        self.workers[at].kill()
        self.workers[at].wait()
        wait(lambda: len(store.attempts(self.study, victim.number)) > victim.attempt)
        self.start(at)
        return victim.number, epoch

    def wait_for_work(self, store: Store) -> None:
        """Wait until every worker has a trial."""

        def are_at_work() -> bool:
            names = {row.worker for row in store.attempts(self.study) if not row.ended_at}
            return all(names & self._names(each, store) for each in self.workers)

        wait(are_at_work)

    def end(self) -> None:
        """Wait until every worker has ended and found nothing left to do."""
        assert [worker.wait(150) for worker in self.workers.values()] == [0] * len(self.workers)

    def _names(self, at: int, store: Store) -> set[str]:
        pid = self.workers[at].pid
        return {row.worker for row in store.workers(self.study) if row.pid == pid}


def _as_host(name: str) -> tuple[str, ...]:
    """Return the words before a command that give its process a host name of its own."""
    return "unshare", "--uts", "sh", "-c", f'hostname {name} && exec "$@"', "sh"


def wait(answer: Callable[[], T], seconds: float = 90) -> T:
    """Ask until the answer is something, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if given := answer():
                return given
        except DatabaseUnreachable:
            pass
        time.sleep(0.05)
    pytest.fail("it did not come to it")


def assert_nothing_is_lost(store: Store, study: str, trials: int) -> None:
    """Every trial is there, every epoch once, and no attempt failed."""
    assert [row.state for row in store.trials(study)] == ["COMPLETE"] * trials
    assert [(row.number, row.epoch) for row in store.epochs(study)] == [
        (number, epoch) for number in range(trials) for epoch in range(1, EPOCHS + 1)
    ]
    assert {row.reason for row in store.attempts(study)} == {"finished", "lost"}


def assert_trained_as_if_undisturbed(store: Store, study: str, number: int, folder: Path) -> None:
    """A trial has the curve that its configuration and seed give in one go."""
    folder.mkdir()
    stored = from_json(store.study(study).definition)
    trial = store.trials(study)[number]
    attempt = Attempt(
        folder=folder,
        data=DataSource(layout={"kind": "none"}),
        seed=training_seed(stored.study.seed, number),
    )
    config = {**stored.config(trial.params), "seconds_per_epoch": 0.0}
    results = catalog.load(stored.study.objective)(config, attempt)
    recorded = [row.metrics for row in store.epochs(study, number)]
    assert recorded == [result.metrics for result in results]


def assert_best_weights_alone_are_there(store: Store, name: str, kept: ArtifactStore) -> None:
    """The weights of the best trials are whole, and nothing else is shared any more."""
    study = from_json(store.study(name).definition).study
    files = store.files(name)
    assert {(file.number, file.name) for file in files} == {
        (number, BEST_WEIGHTS) for number in store.best(name, study.keep)
    }
    for file in files:
        seed = training_seed(study.seed, file.number)
        with kept.open_reader(file.artifact_id) as content:
            assert content.read() == random.Random(seed).randbytes(WEIGHT_BYTES)


def _with_checkpoint(
    study: str, store: Store, kept: ArtifactStore, names: set[str]
) -> tuple[AttemptRow, int] | None:
    """Find an attempt of these workers amid its trial, whose newest epoch but one is shared."""
    for attempt in store.attempts(study):
        # A first attempt: the other place has no older files of the trial.
        if attempt.worker in names and not attempt.ended_at and attempt.attempt == 1:
            recorded = len(store.epochs(study, attempt.number))
            notes = store.files(study, attempt.number)
            ours = [each for each in notes if each.attempt == attempt.attempt]
            there = [epoch_of(each.name) for each in ours if artifacts.is_there(kept, each)]
            newest = max(there, default=0)
            if 2 <= newest <= EPOCHS - 2 and newest >= recorded - 1:
                return attempt, newest
    return None
