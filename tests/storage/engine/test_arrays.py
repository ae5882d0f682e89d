"""A study's arrays hold what Optuna reads, and later looks read only what has changed."""

import io
import math
from collections.abc import Callable

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import Engine, text

from storage.engine import arrays as engine_arrays
from storage.engine import changes, snapshots
from storage.engine.arrays import StudyArrays
from storage.errors import LeaseLost
from storage.rows import Outcome, TrialEnd
from storage.store import Claim, Store
from tests.storage.samples import ended, finished, new_study, new_worker

Claiming = Callable[..., Claim]
Sql = Callable[..., list[tuple[object, ...]]]
SPACE = {
    "kind": CategoricalDistribution(("a", "b", None, True)),
    "rate": FloatDistribution(1e-300, 1e300, log=True),
    "depth": IntDistribution(1, 64, log=True),
    "only_a": FloatDistribution(-1, 1, step=0.25),
}
ROWS_READ = text("SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables")
CURVES = ((0.5, math.nan, math.inf, 5e-324), (math.nan, 0.75), (-math.inf,), (1e300, 0.5), ())


@pytest.fixture
def plain(store: Store, database_url: str) -> optuna.Study:
    """The study `toy` as another program sees it."""
    return optuna.load_study(study_name="toy", storage=RDBStorage(database_url))


def draw(trial: optuna.Trial) -> None:
    """Draw a space with a condition, a whole number, a log scale and options of several types."""
    kind = trial.suggest_categorical("kind", ["a", "b", None, True])
    trial.suggest_float("rate", 1e-300, 1e300, log=True)
    trial.suggest_int("depth", 1, 64, log=True)
    if kind == "a":
        trial.suggest_float("only_a", -1, 1, step=0.25)


def take(store: Store, held: Claim, end: TrialEnd | None, *curve: float) -> None:
    """Draw a claimed trial, record its curve, and end it."""
    with store.trial(held, lambda _: RandomSampler(held.number)) as trial:
        draw(trial)
    for epoch, value in enumerate(curve, start=1):
        store.record(held, epoch, {"loss": value}, value, seconds=1.0, images=10)
    if end is not None:
        store.tell(held, end)


def fill(store: Store, claim: Claiming, trials: int) -> None:
    """End trials in every way, with odd numbers."""
    store.update_definition("toy", {}, trials=None)
    ends = [
        finished(0.1 + 0.2),
        finished(-math.inf),
        ended("PRUNED", "pruned"),
        ended("FAIL", "code_error"),
        TrialEnd(state="PRUNED", value=None, outcome=Outcome.OUT_OF_MEMORY),
        finished(math.inf),
    ]
    for number in range(trials):
        take(store, claim(), ends[number % len(ends)], *CURVES[number % len(CURVES)])


def in_arrays(arrays: StudyArrays) -> list[dict[str, str]]:
    """Spell what the arrays know of each trial, since NaN is equal to nothing."""
    drawn = {name: arrays.column(name, each) for name, each in SPACE.items()}
    return [
        {
            "state": TrialState(arrays.states[number]).name,
            "value": f"{arrays.values[number]}",
            "last": f"{arrays.last_steps[number]}: {arrays.last_values[number]}",
            "violation": f"{arrays.violations[number]}",
            "drawn": f"{[float(column[number]) for column in drawn.values()]}",
        }
        for number in range(arrays.count)
    ]


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


class TestSnapshots:
    """A snapshot and what is newer are the study."""

    @pytest.fixture(autouse=True)
    def few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Write a snapshot of every ten trials."""
        monkeypatch.setattr(snapshots, "FEWEST", 10)

    def test_a_process_that_starts_reads_it_and_what_is_newer(
        self, store: Store, claim: Claiming, database_url: str, sql: Sql
    ) -> None:
        fill(store, claim, 9)
        store.register_worker("toy", new_worker("cleo"))
        running, drawn, waiting = claim("ada"), claim("bob"), claim("cleo")
        store.arrays("toy")
        assert sql("SELECT trials FROM search_service.snapshots") == [(12,)]

        sql("UPDATE trial_params SET param_value = 0 WHERE trial_id = 1")  # not read again
        take(store, running, finished(0.125), 0.5, 0.25)
        take(store, drawn, None, 0.5)
        with Store.open(database_url) as other:
            assert in_arrays(other.arrays("toy")) == in_arrays(store.arrays("toy"))
            store.tell(drawn, finished(2.0))
            store.tell(waiting, finished(3.0))
            take(store, claim(), finished(4.0))
            assert in_arrays(other.arrays("toy")) == in_arrays(store.arrays("toy"))
            assert curves(other) == curves(store)

    @pytest.mark.parametrize("body", [b"", b"PK torn", bytes(100)], ids=["", "torn", "0"])
    def test_one_that_cannot_be_read_is_as_good_as_none(
        self, store: Store, claim: Claiming, database_url: str, sql: Sql, body: bytes
    ) -> None:
        fill(store, claim, 12)
        before = in_arrays(store.arrays("toy"))
        sql("UPDATE search_service.snapshots SET body = :body", body=body)
        with Store.open(database_url) as other:
            assert in_arrays(other.arrays("toy")) == before

    def test_one_with_a_wrong_byte_is_as_good_as_none_and_replaced(
        self, store: Store, claim: Claiming, database_url: str, sql: Sql
    ) -> None:
        fill(store, claim, 12)
        before = in_arrays(store.arrays("toy"))
        sql("UPDATE search_service.snapshots SET body = set_byte(body, 12, 99)")  # the packing
        with Store.open(database_url) as other:
            assert in_arrays(other.arrays("toy")) == before
        assert sql("SELECT get_byte(body, 12) <> 99 FROM search_service.snapshots") == [(True,)]

    def test_one_of_another_form_is_not_read(
        self, store: Store, claim: Claiming, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(snapshots, "FORM", 0)
        fill(store, claim, 12)
        before = in_arrays(store.arrays("toy"))
        monkeypatch.undo()
        with Store.open(database_url) as other:
            assert in_arrays(other.arrays("toy")) == before

    def test_a_study_of_another_program_has_none(
        self, store: Store, database_url: str, sql: Sql
    ) -> None:
        study = optuna.create_study(study_name="theirs", storage=RDBStorage(database_url))
        study.add_trials([create_trial(value=0.5)] * 12)
        assert store.arrays("theirs").count == 12
        assert sql("SELECT trials FROM search_service.snapshots") == []

    def test_one_that_lacks_an_array_is_not_used(
        self, store: Store, claim: Claiming, database_url: str, engine: Engine
    ) -> None:
        fill(store, claim, 12)
        before = store.arrays("toy")
        with engine.begin() as connection:
            form, names = np.array(snapshots.FORM), np.array([], dtype=np.str_)
            body = io.BytesIO()
            np.savez(body, form=form, names=names, states=before.states)
            given = {"body": body.getvalue()}
            connection.execute(text("UPDATE search_service.snapshots SET body = :body"), given)
        with Store.open(database_url) as other:
            assert in_arrays(other.arrays("toy")) == in_arrays(before)

    def test_a_smaller_one_never_replaces_a_larger_one(
        self, store: Store, claim: Claiming, sql: Sql, engine: Engine
    ) -> None:
        fill(store, claim, 12)
        study_id = store.arrays("toy").study_id
        with engine.begin() as connection:
            assert snapshots.write(connection, study_id, {}, 9) == 10
        assert sql("SELECT trials FROM search_service.snapshots") == [(10,)]


def curves(store: Store) -> dict[int, str]:
    """Spell the best value of each curve after its first and its last epoch."""
    found = store.arrays("toy").curves
    first, last = (found.best_until(np.full(len(found.numbers), at)) for at in (1, 99))
    return {
        number: f"{start} {end}"
        for number, start, end in zip(found.numbers.tolist(), first, last, strict=True)
    }
