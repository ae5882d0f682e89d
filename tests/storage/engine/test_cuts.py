"""A connection cut before or in the middle of a write: calling again gives what one call gives."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, event, text

from storage.errors import DatabaseUnreachable
from storage.locks import wait_until
from storage.rows import HandBackReason
from storage.store import Claim, Store
from tests.storage.samples import finished, new_study

Act = Callable[[Store, Claim], object]


def draw(store: Store, held: Claim) -> None:
    with store.trial(held) as trial:
        trial.suggest_float("x", 0, 1)


# Every write that is one statement, with a row that it has to wait for while another holds it.
ATTEMPT = "SELECT FROM search_service.attempts WHERE trial_id = :trial FOR UPDATE"
STUDY = "SELECT FROM studies WHERE study_name = :study FOR UPDATE"
STEPS: dict[str, tuple[Act, str]] = {
    "claim": (lambda store, held: store.claim(held.study, "bob", lease_seconds=30), STUDY),
    "beat": (lambda store, held: store.beat(held), ATTEMPT),
    "record": (
        lambda store, held: store.record(held, 1, {"loss": 0.5}, 0.5, seconds=1.0, images=10),
        ATTEMPT,
    ),
    "note a file": (lambda store, held: store.note_file(held, "a.ckpt", held.study), ATTEMPT),
    "tell": (lambda store, held: store.tell(held, finished(0.5)), ATTEMPT),
    "hand back": (lambda store, held: store.hand_back(held, HandBackReason.DRAINED), ATTEMPT),
    "end leases": (lambda store, _: store.end_leases("ada", HandBackReason.KILLED), ATTEMPT),
}


@contextmanager
def cut_before(statement: int, victim: Engine, killer: Engine) -> Iterator[list[int]]:
    """End the victim's connection just before its `statement`-th statement or commit, from 0.

    Yields the process that was cut, once it was.
    """
    numbers, was_cut = itertools.count(), list[int]()

    def cut(connection: Connection, *_: object) -> None:
        if next(numbers) == statement:
            pid = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
            was_cut.append(pid)
            with killer.begin() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

    moments = ("before_cursor_execute", "commit")
    for moment in moments:
        event.listen(victim, moment, cut)
    try:
        yield was_cut
    finally:
        for moment in moments:
            event.remove(victim, moment, cut)


def picture(store: Store, study: str) -> list[object]:
    """Read all that is stored of a study, but for moments and the values that were drawn."""
    trials = [
        (
            trial.number,
            trial.state,
            trial.outcome,
            trial.value,
            sorted(trial.params),
            trial.is_leased,
        )
        for trial in store.trials(study)
    ]
    attempts = [(row.number, row.attempt, row.reason) for row in store.attempts(study)]
    epochs = [(row.number, row.epoch, row.metrics) for row in store.epochs(study)]
    return [trials, attempts, epochs, [file.name for file in store.files(study)]]


def begin(store: Store, name: str) -> Claim:
    """Store a study and claim its first trial."""
    store.create(new_study(name, trials=None))
    store.end_leases("ada", HandBackReason.STOPPED)
    held = store.claim(name, "ada", lease_seconds=30)
    assert isinstance(held, Claim)
    return held


@pytest.mark.slow
@pytest.mark.parametrize("act", [*(act for act, _ in STEPS.values()), draw], ids=[*STEPS, "draw"])
def test_a_write_that_was_cut_off_is_made_once_when_it_is_called_again(
    act: Act, store: Store, engine: Engine
) -> None:
    pictures = []
    for statement in itertools.count():
        name = f"cut-{statement}"
        held = begin(store, name)
        with cut_before(statement, store.engine, engine) as was_cut:
            try:
                act(store, held)
            except DatabaseUnreachable:  # unless nothing had been sent over the connection
                act(store, held)
        pictures.append(picture(store, name))
        if not was_cut:
            break
    undisturbed = pictures[-1]
    assert pictures == [undisturbed] * len(pictures)
    assert len(pictures) >= 2  # once before its statement, and once without a cut


@pytest.mark.parametrize(("act", "row"), STEPS.values(), ids=STEPS)
def test_a_write_that_was_cut_in_its_middle_is_made_once_when_it_is_called_again(
    act: Act, row: str, store: Store, engine: Engine
) -> None:
    pictures = []
    for name in ("cut", "undisturbed"):
        held = begin(store, name)
        if name == "cut":
            with ThreadPoolExecutor() as threads, engine.begin() as other:
                other.execute(text(row), {"trial": held.trial_id, "study": name})
                acting = threads.submit(act, store, held)
                assert wait_until(lambda: end_the_waiting(other), patience_seconds=4)
                with pytest.raises(DatabaseUnreachable):
                    acting.result()
        act(store, held)
        pictures.append(picture(store, name))
    assert pictures[0] == pictures[1]


def end_the_waiting(connection: Connection) -> bool:
    """End the backend that waits for a row; return whether there was one."""
    waiting = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    return bool(connection.execute(text(f"{waiting} WHERE wait_event_type = 'Lock'")).all())


@pytest.mark.parametrize(("act", "_"), STEPS.values(), ids=STEPS)
def test_a_write_is_one_statement(act: Act, _: str, store: Store) -> None:
    held, statements = begin(store, "counted"), list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    act(store, held)
    assert len(statements) == 1


def test_a_reading_that_was_cut_off_is_made_again(store: Store, engine: Engine) -> None:
    study = store.optuna_study("toy")
    with cut_before(0, store.engine, engine):
        assert study.get_trials() == []


def test_reading_through_optuna_says_that_the_database_is_away(
    store: Store, engine: Engine
) -> None:
    study = store.optuna_study("toy")
    twice = cut_before(0, store.engine, engine), cut_before(1, store.engine, engine)
    with twice[0], twice[1], pytest.raises(DatabaseUnreachable):
        study.get_trials()
    assert study.get_trials() == []
