"""What pages and exports read of Optuna's studies is what Optuna itself reads, at every look."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import optuna
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Engine, create_engine, event, text

from storage.engine import reading
from storage.engine.reading import ReadingStorage
from storage.errors import DatabaseUnreachable, StorageError
from storage.rows import Outcome, TrialEnd
from storage.store import Claim, Store
from storage.transaction import LIMITS
from tests.storage.samples import ended, finished, new_study, stock_study

Claiming = Callable[..., Claim]
UNORDERED = ("intermediate_values", "_user_attrs", "_system_attrs")
SPACE: dict[str, BaseDistribution] = {
    "rate": FloatDistribution(1e-300, 1e300, log=True),
    "step": FloatDistribution(-1, 1, step=0.25),
    "depth": IntDistribution(1, 64, log=True),
    "kind": CategoricalDistribution(["a", None, True]),
}
PARAMS: dict[str, Any] = {"rate": 5e-324 + 1e-300, "step": 0.25, "depth": 7, "kind": None}


@pytest.fixture(autouse=True)
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own time is not UTC, and another one in summer."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


def spelled(trials: list[FrozenTrial]) -> list[dict[str, str]]:
    """Spell every field, since NaN is equal to nothing; the tables keep steps in no order."""
    return [
        {
            name: str(sorted(value.items()) if name in UNORDERED else value)
            for name, value in vars(trial).items()
        }
        for trial in trials
    ]


def fill(store: Store, claim: Claiming) -> None:
    """End trials of ours in every way, and leave one running and one in the queue."""
    store.update_definition("toy", {}, trials=None)
    stock_study(store).enqueue_trial(
        {"rate": 2.0, "kind": "a"}, user_attrs={"asked": "by a person"}
    )
    for number, end in enumerate(
        (
            finished(0.1 + 0.2, shown={"badges": "läuft"}, links={"artifacts:1": '{"a": 1}'}),
            finished(-math.inf),
            ended("PRUNED", "pruned"),
            ended("FAIL", "code_error"),
            TrialEnd(state="PRUNED", value=None, outcome=Outcome.OUT_OF_MEMORY),
            None,
        )
    ):
        held = claim()
        with store.trial(held) as trial:
            trial.suggest_float("rate", 1e-300, 1e300, log=True)
            trial.suggest_categorical("kind", ["a", None, True])
        for epoch, value in enumerate((0.5, math.nan, math.inf, 5e-324)[number % 4 :], start=1):
            store.record(held, epoch, {"loss": value}, value, seconds=1.0, images=10)
        if end is not None:
            store.tell(held, end)
    stock_study(store).enqueue_trial({"kind": None})


def add_stock_trials(study: optuna.Study) -> None:
    """Add, ask for and end trials as other programs do."""
    for month in (1, 7):  # in winter's and in summer's time
        trial = optuna.create_trial(
            values=[math.inf] * len(study.directions),
            params=PARAMS,
            distributions=SPACE,
            user_attrs={"nan": math.nan, "deep": {"list": [1, None, "ü"]}},
            system_attrs={"constraints:memory": -1.0},
            intermediate_values={7: 1e-300, 0: math.nan, 3: -math.inf},
        )
        trial.datetime_start = datetime(2026, month, 1, 12)
        study.add_trial(trial)
    asked = study.ask(SPACE)
    asked.set_user_attr("who", "somebody")
    study.tell(asked, state=TrialState.FAIL)
    study.ask({"depth": SPACE["depth"]})


def test_every_field_of_a_trial_is_the_one_that_optuna_reads(store: Store, claim: Claiming) -> None:
    fill(store, claim)
    stock, ours = stock_study(store), store.optuna_study("toy")
    add_stock_trials(stock)

    assert spelled(ours.get_trials()) == spelled(stock.get_trials())
    for trial in stock.get_trials():
        assert spelled([store.optuna_storage.get_trial(trial._trial_id)]) == spelled([trial])


def test_every_study_is_the_one_that_optuna_reads(store: Store, backend: RDBStorage) -> None:
    theirs = optuna.create_study(
        storage=backend, study_name="theirs", directions=["minimize", "maximize"]
    )
    theirs.set_user_attr("deep", {"list": [1, None, "ü"]})
    backend.set_study_system_attr(theirs._study_id, "study:metric_names", ["loss", "top1"])
    add_stock_trials(theirs)
    optuna.create_study(storage=backend, study_name="", direction="maximize")

    ours = store.optuna_storage
    assert [vars(study) for study in ours.get_all_studies()] == [
        vars(study) for study in backend.get_all_studies()
    ]
    assert [study.study_name for study in ours.get_all_studies()] == ["toy", "theirs", ""]
    assert spelled(ours.get_all_trials(theirs._study_id)) == spelled(theirs.get_trials())
    assert optuna.Study("theirs", ours).directions == theirs.directions
    assert optuna.Study("", ours).get_trials() == []


CHANGES: dict[str, Callable[[Store, Claim, optuna.Trial], object]] = {
    "our epoch": lambda store, held, _: store.record(
        held, 2, {"loss": 0.25}, 0.25, seconds=1.0, images=10
    ),
    "a value of another program": lambda _, __, trial: trial.report(9.0, 3),
    "an attribute": lambda _, __, trial: trial.set_user_attr("note", "seen"),
    "a drawn value": lambda _, __, trial: trial.suggest_float("x", 0, 1),
    "an attribute of the study": lambda _, __, trial: trial.study.set_user_attr("note", "seen"),
    "a new trial": lambda _, __, trial: trial.study.ask(),
    "a queued trial": lambda _, __, trial: trial.study.enqueue_trial({"x": 0.5}),
    "our end": lambda store, held, _: store.tell(held, finished(0.5, shown={"badges": "new"})),
    "a person's end": lambda _, __, trial: trial.study.tell(1, state=TrialState.FAIL),
}


def test_a_look_sees_what_anybody_changed_since_the_last_one(store: Store, claim: Claiming) -> None:
    held, stock, ours = claim(), stock_study(store), store.optuna_study("toy")
    store.record(held, 1, {"loss": 0.5}, 0.5, seconds=1.0, images=10)
    trial = optuna.Trial(stock, held.trial_id)
    for name, change in CHANGES.items():
        before = spelled(ours.get_trials()), ours.user_attrs
        change(store, held, trial)
        after = spelled(ours.get_trials()), ours.user_attrs
        assert after == (spelled(stock.get_trials()), stock.user_attrs) != before, name


def test_a_look_is_one_statement_that_returns_what_is_new_or_has_not_ended(
    store: Store, claim: Claiming
) -> None:
    fill(store, claim)
    study_id = store.study("toy").study_id
    for rows in (7, 2, 2):  # all; then the running and the queued one
        with counted(store) as read:
            assert len(store.optuna_storage.get_all_trials(study_id)) == 7
        assert read == [rows]
    store.tell(claim(), finished(0.5))
    for rows in (2, 1):
        with counted(store) as read:
            store.optuna_storage.get_all_trials(study_id)
        assert read == [rows]


def test_an_ended_trial_is_read_once(store: Store, claim: Claiming) -> None:
    fill(store, claim)
    (first, *_) = store.optuna_study("toy").get_trials()
    with counted(store) as read:
        assert store.optuna_storage.get_trial(first._trial_id) == first
    assert read == []


def test_a_large_study_is_read_in_parts(
    store: Store, claim: Claiming, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "AT_ONCE", 2)
    fill(store, claim)
    ours, stock = store.optuna_study("toy"), stock_study(store)
    with counted(store) as read:
        assert spelled(ours.get_trials()) == spelled(stock.get_trials())
    assert read == [2, 2, 2, 1]
    add_stock_trials(stock)
    assert spelled(ours.get_trials()) == spelled(stock.get_trials())


def test_a_study_that_was_deleted_is_gone_and_one_made_again_is_new(
    store: Store, claim: Claiming
) -> None:
    store.tell(claim(), finished(0.5))
    old, ours = store.optuna_study("toy"), store.optuna_storage
    (trial,) = old.get_trials()
    store.delete("toy")
    store.create(new_study("toy"))
    stock_study(store).enqueue_trial({"x": 0.25})

    with pytest.raises(KeyError):
        old.get_trials()
    with pytest.raises(KeyError):
        ours.get_trial(trial._trial_id)
    (new,) = store.optuna_study("toy").get_trials()
    assert (new.number, new.state) == (0, TrialState.WAITING)


def test_the_list_of_studies_forgets_the_trials_of_deleted_ones(
    store: Store, claim: Claiming
) -> None:
    store.tell(claim(), finished(0.5))
    (trial,) = store.optuna_study("toy").get_trials()
    store.delete("toy")
    assert store.optuna_storage.get_all_studies() == []
    with pytest.raises(KeyError):
        store.optuna_storage.get_trial(trial._trial_id)


def test_a_write_is_refused_with_the_way_to_make_it() -> None:
    storage = ReadingStorage(create_engine("postgresql+psycopg2://127.0.0.1:1/nobody"))
    for write in BaseStorage.__abstractmethods__:
        if not write.startswith("get_"):
            with pytest.raises(StorageError, match="change them with the `search` command"):
                getattr(storage, write)(1)


def test_a_reading_that_a_lock_kept_waiting_is_not_made_again(
    database_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is closed would else wait twice as long."""
    monkeypatch.setitem(LIMITS, "lock_timeout", "100ms")
    with Store.open(database_url) as store, engine.begin() as other:
        store.create(new_study("toy"))
        other.execute(text("LOCK TABLE studies IN ACCESS EXCLUSIVE MODE"))
        begun: list[str] = []
        event.listen(store.engine, "before_cursor_execute", lambda *given: begun.append(given[2]))
        with pytest.raises(DatabaseUnreachable, match="locked"):
            store.optuna_storage.get_all_studies()
        assert len(begun) == 1


@contextmanager
def counted(store: Store) -> Iterator[list[int]]:
    """Note how many rows each statement of a store returns."""
    rows: list[int] = []

    def note(_connection: object, cursor: Any, *_: object) -> None:
        rows.append(cursor.rowcount)

    event.listen(store.engine, "after_cursor_execute", note)
    try:
        yield rows
    finally:
        event.remove(store.engine, "after_cursor_execute", note)
