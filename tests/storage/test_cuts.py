"""A connection cut before any statement of a write: calling again gives what one call gives."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage
from sqlalchemy import Connection, Engine, event, text

from storage.errors import DatabaseUnreachable
from storage.store import Claim, Store
from tests.storage.samples import new_study

Act = Callable[[Store, Claim], object]


def draw(store: Store, held: Claim) -> None:
    with store.trial(held, store.optuna_study(held.study, RandomSampler())) as trial:
        trial.suggest_float("x", 0, 1)


ACTS: dict[str, Act] = {
    "claim": lambda store, held: store.claim(held.study, "bob", lease_seconds=30),
    "draw": draw,
    "record": lambda store, held: store.record(held, 1, {"loss": 0.5}, 0.5, seconds=1.0, images=10),
    "tell": lambda store, held: store.tell(held, "COMPLETE", 0.5, "finished"),
    "hand back": lambda store, held: store.hand_back(held, "drained"),
}


@contextmanager
def cut_before(statement: int, victim: Engine, killer: Engine) -> Iterator[None]:
    """End the victim's connection just before its `statement`-th statement or commit, from 0."""
    numbers = itertools.count()

    def cut(connection: Connection, *_: object) -> None:
        if next(numbers) == statement:
            pid = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
            with killer.begin() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

    moments = ("before_cursor_execute", "commit")
    for moment in moments:
        event.listen(victim, moment, cut)
    try:
        yield
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
    return [trials, attempts, [(row.number, row.epoch, row.metrics) for row in store.epochs(study)]]


@pytest.mark.slow
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_cut_write_is_made_once_when_it_is_called_again(
    act: Act, store: Store, backend: RDBStorage, engine: Engine
) -> None:
    pictures = []
    for statement in itertools.count():
        name = f"cut-{statement}"
        store.create(new_study(name, trials=None))
        held = store.claim(name, "ada", lease_seconds=30)
        assert isinstance(held, Claim)
        was_cut = False
        with cut_before(statement, backend.engine, engine):
            try:
                act(store, held)
            except DatabaseUnreachable:
                was_cut = True
                act(store, held)
        pictures.append(picture(store, name))
        if not was_cut:
            break
    undisturbed = pictures[-1]
    assert pictures == [undisturbed] * len(pictures)
    assert len(pictures) >= 4  # limits, write, commit, and once without a cut


def test_reading_through_optuna_says_that_the_database_is_away(
    store: Store, backend: RDBStorage, engine: Engine
) -> None:
    study = store.optuna_study("toy")
    with cut_before(1, backend.engine, engine), pytest.raises(DatabaseUnreachable):
        study.get_trials()
    assert study.get_trials() == []
