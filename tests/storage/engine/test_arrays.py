"""A study's arrays hold what Optuna reads, and later looks read only what has changed."""

import math
from collections.abc import Callable

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import Engine, text

from storage.engine import arrays as engine_arrays
from storage.engine import changes
from storage.engine.arrays import StudyArrays
from storage.errors import LeaseLost
from storage.store import Store
from tests.storage.engine.filled import SPACE, Claiming, Sql, draw, fill, in_arrays, take
from tests.storage.samples import finished, new_study, new_worker

ROWS_READ = text("SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables")


@pytest.fixture
def plain(store: Store, database_url: str) -> optuna.Study:
    """The study `toy` as another program sees it."""
    return optuna.load_study(study_name="toy", storage=RDBStorage(database_url))


def in_optuna(trial: FrozenTrial) -> dict[str, str]:
    """Spell the same of a trial as Optuna reads it."""
    is_used = trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
    steps = trial.intermediate_values if is_used else {}
    last, value = max(steps.items(), default=(-1, math.nan))
    drawn = [
        each.to_internal_repr(trial.params[name]) if name in trial.params else math.nan
        for name, each in SPACE.items()
    ]
    return {
        "state": trial.state.name,
        "value": f"{math.nan if trial.value is None else trial.value}",
        "last": f"{last}: {value}",
        "violation": f"{float(sum(max(0.0, each) for each in trial.constraints.values()))}",
        "drawn": f"{[float(each) for each in drawn]}",
    }


def test_every_number_is_the_one_that_optuna_reads(
    store: Store, claim: Claiming, plain: optuna.Study
) -> None:
    fill(store, claim, 12)
    take(store, claim(), None, 0.5)
    claim("bob")
    plain.enqueue_trial({"kind": "a"})
    assert in_arrays(store.arrays("toy")) == [in_optuna(trial) for trial in plain.get_trials()]


def test_arrays_that_grew_are_those_that_are_read_at_once(
    store: Store, claim: Claiming, database_url: str
) -> None:
    store.arrays("toy")
    fill(store, claim, 12)
    for number in range(12, 80):
        take(store, claim(), finished(number), 1.0 / number)
    with Store.open(database_url) as other:
        assert in_arrays(store.arrays("toy")) == in_arrays(other.arrays("toy"))


def test_a_later_look_sees_what_others_did_since(
    store: Store, claim: Claiming, database_url: str, plain: optuna.Study
) -> None:
    with Store.open(database_url) as other:

        def seen() -> list[dict[str, str]]:
            found = in_arrays(other.arrays("toy"))
            assert found == [in_optuna(trial) for trial in plain.get_trials()]
            return found

        assert seen() == []
        held = claim("ada")
        assert seen()[0]["state"] == "RUNNING"
        take(store, held, None)
        assert "nan, nan" not in seen()[0]["drawn"]
        store.tell(held, finished(0.5))
        assert seen()[0]["value"] == "0.5"
        plain.tell(claim("bob").number, state=TrialState.FAIL)
        assert seen()[1]["state"] == "FAIL"
        asked = plain.ask()
        assert seen()[2]["state"] == "RUNNING"
        draw(asked)
        plain.tell(asked, 0.25)
        assert seen()[2]["value"] == "0.25"
        plain.enqueue_trial({"kind": "b"})
        assert seen()[3]["state"] == "WAITING"


def test_a_trial_that_is_committed_late_is_not_missed(
    store: Store, claim: Claiming, engine: Engine
) -> None:
    """Its transaction is older than others that were seen already."""
    first, second = claim("ada"), claim("bob")
    with engine.begin() as slow:
        given = {"trial": first.trial_id}
        slow.execute(text("UPDATE trials SET state = 'FAIL' WHERE trial_id = :trial"), given)
        slow.execute(
            text(
                "UPDATE search_service.attempts SET touched = pg_current_xact_id()"
                " WHERE trial_id = :trial"
            ),
            given,
        )
        store.tell(second, finished(1.0))
        assert store.arrays("toy").states.tolist() == [TrialState.RUNNING, TrialState.COMPLETE]
    assert store.arrays("toy").states.tolist() == [TrialState.FAIL, TrialState.COMPLETE]


def test_a_sampler_sees_the_trials_that_have_ended_since_the_last_draw(
    store: Store, claim: Claiming
) -> None:
    seen: list[list[int]] = []

    def choose(arrays: StudyArrays) -> RandomSampler:
        seen.append(np.flatnonzero(arrays.states == TrialState.COMPLETE).tolist())
        return RandomSampler()

    for _ in range(3):
        held = claim()
        with store.trial(held, choose):
            pass
        store.tell(held, finished(0.5))
    assert seen == [[], [0], [0, 1]]


def test_nothing_that_has_ended_is_read_again(store: Store, claim: Claiming, sql: Sql) -> None:
    fill(store, claim, 5)
    before = in_arrays(store.arrays("toy"))
    sql("UPDATE trial_params SET param_value = 0")
    assert in_arrays(store.arrays("toy")) == before


def test_transactions_of_the_server_that_a_database_was_copied_from_are_not_new(
    store: Store, claim: Claiming, sql: Sql
) -> None:
    fill(store, claim, 5)
    sql("UPDATE search_service.attempts SET touched = '9000000000000000000'")
    before = in_arrays(store.arrays("toy"))
    sql("UPDATE trial_params SET param_value = 0")
    assert in_arrays(store.arrays("toy")) == before


def test_among_many_open_trials_ours_are_seen_at_once_and_foreign_ones_soon(
    store: Store, claim: Claiming, plain: optuna.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_arrays, "FEW", 1)
    store.update_definition("toy", {}, trials=None)
    ours, foreign = claim("ada"), claim("bob")
    plain.enqueue_trial({"kind": "a"})
    store.arrays("toy")

    store.tell(ours, finished(0.5))
    plain.tell(foreign.number, state=TrialState.FAIL)
    assert store.arrays("toy").states.tolist()[:2] == [TrialState.COMPLETE, TrialState.RUNNING]
    monkeypatch.setattr(engine_arrays, "SOMETIMES_SECONDS", 0.0)
    assert store.arrays("toy").states.tolist()[:2] == [TrialState.COMPLETE, TrialState.FAIL]


def test_a_study_that_was_made_anew_is_read_anew(store: Store, claim: Claiming) -> None:
    fill(store, claim, 3)
    store.arrays("toy")
    store.delete("toy")
    store.create(new_study("toy", trials=3, direction="maximize"))
    store.register_worker("toy", new_worker("ada"))
    take(store, claim(), finished(7.0))
    arrays = store.arrays("toy")
    assert (arrays.values.tolist(), arrays.direction.name) == ([7.0], "MAXIMIZE")


def test_a_study_that_is_read_in_parts_is_read_whole(
    store: Store, claim: Claiming, plain: optuna.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, claim, 9)
    plain.enqueue_trial({"kind": "a"})
    for at_once in (1, 5, 10):
        monkeypatch.setattr(changes, "AT_ONCE", at_once)
        with Store.open(store.engine.url.render_as_string(hide_password=False)) as other:
            read = in_arrays(other.arrays("toy"))
            assert read == [in_optuna(trial) for trial in plain.get_trials()]


def test_a_trial_that_is_drawn_before_the_study_is_read_leaves_no_other_one_out(
    store: Store, claim: Claiming, plain: optuna.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, claim, 9)
    monkeypatch.setattr(changes, "AT_ONCE", 2)
    with Store.open(store.engine.url.render_as_string(hide_password=False)) as other:
        take(other, claim(), finished(0.5))
        read = in_arrays(other.arrays("toy"))
    assert read == [in_optuna(trial) for trial in plain.get_trials()]


def test_a_look_reads_no_rows_of_other_studies(
    store: Store, claim: Claiming, sql: Sql, engine: Engine
) -> None:
    """Postgres takes the trials after a number for a share of all, and so for thousands."""
    store.create(new_study("later"))
    store.update_definition("toy", {}, trials=None)
    sql(
        "INSERT INTO trials (number, study_id, state)"
        " SELECT n, study_id, 'COMPLETE' FROM studies, generate_series(0, 2999) n ORDER BY study_id"
    )
    sql(
        "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)"
        " SELECT trial_id, 'x', 0, '{}' FROM trials"
    )
    sql("ANALYZE")
    with engine.connect() as connection:
        arrays = StudyArrays(connection, "toy")
        arrays.refresh(connection)
        connection.commit()  # its snapshot of the arrays; a claim would wait for that for 5 s
        take(store, claim(), finished(0.5), 0.5, 0.25)
        before = connection.scalar(ROWS_READ)
        arrays.refresh(connection)
        read = connection.scalar(ROWS_READ) - before
    assert (arrays.values[-1], read < 500) == (0.5, True)


def test_an_attempt_at_a_study_that_was_made_anew_is_lost(
    store: Store, claim: Claiming, expire: Callable[[], None]
) -> None:
    held = claim()
    expire()
    store.delete("toy")
    store.create(new_study("toy"))
    with pytest.raises(LeaseLost), store.trial(held):
        raise AssertionError("nothing is drawn")


def test_an_infinite_whole_number_of_another_program_is_read_as_it_is(
    store: Store, claim: Claiming, plain: optuna.Study
) -> None:
    plain.enqueue_trial({"depth": math.inf})
    with pytest.warns(UserWarning, match="out of range"), pytest.raises(OverflowError):
        plain.ask().suggest_int("depth", 1, 64)
    number = claim().number
    assert store.trials("toy")[number].params == {"depth": math.inf}
    assert store.optuna_study("toy").trials[number].params == {"depth": math.inf}
    wider, declared = IntDistribution(1, 99), IntDistribution(1, 64)
    assert math.isnan(store.arrays("toy").column("depth", wider)[number])
    assert math.isinf(store.arrays("toy").column("depth", declared)[number])


def test_a_value_of_another_distribution_counts_where_it_lies_in_the_declared_one(
    store: Store, plain: optuna.Study
) -> None:
    apart = {"depth": IntDistribution(1, 500), "kind": CategoricalDistribution((True, "c"))}
    for depth, kind in ((2, True), (70, "c"), (64, True)):
        values = {"depth": depth, "kind": kind}
        plain.add_trial(create_trial(params=values, distributions=apart, value=1.0))
    arrays = store.arrays("toy")
    assert repr(arrays.column("depth", SPACE["depth"]).tolist()) == "[2.0, nan, 64.0]"
    assert repr(arrays.column("kind", SPACE["kind"]).tolist()) == "[3.0, nan, 3.0]"
