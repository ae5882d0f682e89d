"""A process killed or paused before any statement of a write: nothing is lost, nothing is twice."""

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from storage.locks import wait_until
from storage.store import Claim, Nothing, Store
from tests.storage.actor import LOST
from tests.storage.samples import finished, new_study

pytestmark = pytest.mark.slow

ACTS = ("claim", "record", "replace", "note_rung", "tell", "hand_back")


class Actor:
    """A process that forks a child for every act; a child obeys the order it finds."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("actor.py")
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(script)], stdin=pipe, stdout=pipe, text=True
        )
        self._is_acting = False
        assert self._read() == "ready"

    def act_on(self, url: str, folder: Path) -> None:
        """Let the next children act on this database; orders are as in actor.py."""
        self._url, self._order = url, folder / "order"

    def order(self, act: str, point: object, name: str) -> None:
        """Write an order for the next child; a store knows to replace as to record."""
        act = "record" if act == "replace" else act
        self._order.with_suffix(".new").write_text(f"{act} {point} {name}")
        self._order.with_suffix(".new").rename(self._order)

    def obeyed(self) -> bool:
        """Tell whether the last order was carried out; it is taken back if not."""
        was_taken = not self._order.exists()
        self._order.unlink(missing_ok=True)
        return was_taken

    def start(self, act: str, claim: Claim | None, study: str) -> int:
        """Let a child act; return its pid."""
        held = (claim.trial_id, claim.attempt) if claim else (0, 0)
        words = (self._url, self._order, act, study, *held)
        print(*words, file=self.process.stdin, flush=True)
        child = int(self._read())
        self._is_acting = True
        return child

    def end(self) -> int:
        """Wait for the child; return its exit code."""
        self._is_acting = False
        return int(self._read())

    def break_off(self) -> None:
        """End a child that a failed test left behind."""
        if self._is_acting:
            self._kill_children()
            self.end()

    def kill(self) -> None:
        """End the process and its children; a paused one would hold the pipe open for ever."""
        self._kill_children()
        self.process.kill()
        self.process.communicate()

    def _kill_children(self) -> None:
        for child in psutil.Process(self.process.pid).children():
            child.kill()

    def _read(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()


@pytest.fixture(scope="module")
def shared_actor() -> Iterator[Actor]:
    actor = Actor()
    yield actor
    actor.kill()


@pytest.fixture
def actor(shared_actor: Actor, database_url: str, tmp_path: Path) -> Iterator[Actor]:
    """An actor on the test's own database."""
    shared_actor.act_on(database_url, tmp_path)
    yield shared_actor
    shared_actor.break_off()


def begin(store: Store, name: str, act: str, trials: int = 1) -> Claim | None:
    """Store a study and claim what the act needs."""
    store.create(new_study(name, trials=trials))
    if act == "claim":
        return None
    claim = store.claim(name, "ada", lease_seconds=30)
    assert isinstance(claim, Claim)
    if act == "tell":
        store.record(claim, 1, {"loss": 0.5}, 0.5, seconds=1.0, images=10)
    if act == "replace":
        for epoch, loss in ((1, 0.9), (2, 0.8)):
            store.record(claim, epoch, {"loss": loss}, loss, seconds=1.0, images=10)
        store.hand_back(claim, "drained")
        claim = store.claim(name, "ada", lease_seconds=30)
        assert isinstance(claim, Claim)
    return claim


def go_on(store: Store, name: str) -> None:
    """Do what a supervisor and another worker do after a death."""
    store.end_leases("ada", "killed")
    while (claim := store.claim(name, "bob", lease_seconds=30)) is not Nothing.DONE:
        assert isinstance(claim, Claim)
        metrics = {"loss": 0.5}
        store.record(claim, 1, metrics, 0.5, seconds=1.0, images=10, is_deterministic=False)
        store.tell(claim, finished(0.5))


def picture(store: Store, name: str) -> list[object]:
    """Read the end state of a study, from our tables and from Optuna's."""
    trials = [(row.number, row.state, row.outcome, row.value) for row in store.trials(name)]
    epochs = [(row.number, row.epoch, row.metrics) for row in store.epochs(name)]
    frozen = store.optuna_study(name).get_trials()
    optuna = [(trial.number, trial.state.name, trial.intermediate_values) for trial in frozen]
    finished = [row.number for row in store.attempts(name) if row.reason == "finished"]
    return [trials, epochs, optuna, finished]


WHOLE = [
    [(0, "COMPLETE", "finished", 0.5)],
    [(0, 1, {"loss": 0.5})],
    [(0, "COMPLETE", {1: 0.5})],
    [0],
]


@pytest.mark.parametrize("act", ACTS)
def test_a_process_killed_before_any_statement_loses_and_doubles_nothing(
    act: str, store: Store, actor: Actor
) -> None:
    kills = []
    for point in itertools.chain(("after",), itertools.count()):
        name = f"{act.replace('_', '-')}-{point}"
        claim = begin(store, name, act)
        actor.order(act, point, "KILL")
        actor.start(act, claim, name)
        kills.append(actor.end() == -signal.SIGKILL)
        assert actor.obeyed() == kills[-1]

        go_on(store, name)

        assert picture(store, name) == WHOLE, f"killed before {point} of {act}"
        replaced = [row.value for row in store.replaced_epochs(name, 0)]
        assert replaced == ([0.9, 0.8] if act == "replace" else [])
        if not kills[-1]:  # it has no such statement: every point was walked
            break
    assert kills == [True] * (len(kills) - 1) + [False]
    assert len(kills) == 3  # after it, before its one statement, and the end of the walk


@pytest.mark.parametrize(("act", "there"), [("record", []), ("replace", [0.9, 0.8])])
def test_a_process_paused_before_a_write_writes_nothing_when_it_wakes(
    act: str, there: list[float], store: Store, actor: Actor
) -> None:
    claim = begin(store, "paused", act)
    actor.order(act, 0, "STOP")
    child = actor.start(act, claim, "paused")
    wait_for_stop(child)

    store.end_leases("ada", "killed")
    taken = store.claim("paused", "bob", lease_seconds=30)
    os.kill(child, signal.SIGCONT)

    # The trial runs on and its epoch is not there yet: the token alone is in the way.
    assert actor.end() == LOST
    assert [row.value for row in store.epochs("paused")] == there
    assert isinstance(taken, Claim)
    store.hand_back(taken, "drained")
    go_on(store, "paused")
    assert picture(store, "paused") == WHOLE


@pytest.mark.parametrize(("point", "order"), [(0, ["bob", "ada"]), ("after", ["ada", "bob"])])
def test_a_process_paused_at_a_claim_keeps_no_other_from_claiming(
    point: object, order: list[str], store: Store, actor: Actor
) -> None:
    begin(store, "paused", "claim", trials=2)
    actor.order("claim", point, "STOP")
    child = actor.start("claim", None, "paused")
    wait_for_stop(child)

    first = store.claim("paused", "bob", lease_seconds=30)
    os.kill(child, signal.SIGCONT)

    assert actor.end() == 0
    assert isinstance(first, Claim)
    assert [row.worker for row in store.trials("paused") if row.is_leased] == order


def wait_for_stop(pid: int) -> None:
    """Wait until a child of a child has stopped."""
    assert wait_until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, 60)
