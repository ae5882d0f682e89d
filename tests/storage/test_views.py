"""The views for people say what the store says, to a role that may read nothing else."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial
from sqlalchemy import Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from storage.rows import TrialRow
from storage.store import Claim, Store
from storage.tables import SCHEMA, VIEWS, metadata
from tests.storage.listings import DOCS, statements
from tests.storage.samples import ended, finished, new_study, new_worker, stock_study

Sql = Callable[..., list[tuple[Any, ...]]]
Claiming = Callable[..., Claim]
HOURS = "finished, pruned, failed, running, lost, saved_by_pruning"


@pytest.fixture
def read(engine: Engine) -> Callable[[str], list[Mapping[str, Any]]]:
    """Read every row of a view."""

    def read(view: str) -> list[Mapping[str, Any]]:
        with engine.connect() as connection:
            return list(connection.execute(text(f"SELECT * FROM {VIEWS}.{view}")).mappings())

    return read


def record(store: Store, claim: Claim, *values: float, first: int = 1) -> None:
    for epoch, value in enumerate(values, first):
        store.record(claim, epoch, {"val_loss": value}, value, seconds=1.0, images=100)


def fill(store: Store, claim: Claiming, expire: Callable[[], None]) -> None:
    """Make a trial of every kind, by the steps that workers and other programs make."""
    store.update_definition("toy", {}, trials=None)
    done = claim("ada")
    with store.trial(done) as trial:
        trial.suggest_float("rate", 1e-5, 1e-1, log=True)
        trial.suggest_int("layers", 1, 3)
        trial.suggest_categorical("loss", ["ce", "ldam"])
        trial.suggest_categorical("mixed", [None, True, 2, 0.5])
    record(store, done, math.nan, 0.4, 0.3, 0.3, math.inf)
    store.tell(done, finished(0.3))
    store.tell(claim("ada"), finished(math.inf))
    pruned = claim("ada")
    record(store, pruned, 0.9)
    store.tell(pruned, ended("PRUNED", "pruned", "not worth it"))
    store.tell(claim("ada"), ended("PRUNED", "out_of_memory"))
    for _ in range(3):
        claim("ada")
        store.end_leases("ada", "killed")
    failed = claim("bob")
    stock = stock_study(store)
    stock.tell(failed.number, state=TrialState.FAIL)
    stock.add_trial(stock_trial())
    lost = claim("ada")
    record(store, lost, 0.7, 0.5)
    expire()
    store.hand_back(claim("bob"), "drained")
    claim("bob")
    stock.enqueue_trial({"x": 0.25})


def stock_trial() -> optuna.trial.FrozenTrial:
    """Build an ended trial that another program adds, with a choice that JSON cannot hold."""
    choices = CategoricalDistribution((math.nan, -math.inf, "NaN, really", 7))
    return create_trial(
        value=-math.inf,
        params={"odd": -math.inf, "x": 0.5, "n": 3, "word": 'say NaN, or "[NaN]"'},
        distributions={
            "odd": choices,
            "x": FloatDistribution(0, 1),
            "n": IntDistribution(1, 9),
            "word": CategoricalDistribution(('say NaN, or "[NaN]"', "no")),
        },
    )


def test_every_trial_is_what_the_store_reads(
    store: Store, claim: Claiming, expire: Callable[[], None], sql: Sql
) -> None:
    fill(store, claim, expire)
    columns = (
        "trial, state, outcome, detail, value, attempts, worker, started_at, ended_at, epochs,"
        " best_epoch, best_value, drawn, parameters::text"
    )
    rows = sql(f"SELECT {columns} FROM search_views.trials WHERE study = 'toy' ORDER BY trial")
    recorded = store.epochs("toy")

    def expected(trial: TrialRow) -> tuple[Any, ...]:
        count = sum(epoch.number == trial.number for epoch in recorded)
        best = (trial.best.epoch, trial.best.value) if trial.best else (None, None)
        detail = trial.detail if trial.outcome else None
        end = (trial.attempts, trial.worker, trial.started_at, trial.ended_at, count)
        way = trial.drawing.way if trial.drawing else None
        return (trial.number, trial.state, trial.outcome, detail, trial.value, *end, *best, way)

    trials = store.trials("toy")
    assert [row[:-1] for row in rows] == [expected(trial) for trial in trials]
    assert {trial.state for trial in trials} == {
        "COMPLETE", "PRUNED", "FAIL", "RUNNING", "WAITING",
    }  # fmt: skip
    shown = [list(json.loads(row[-1]).items()) for row in rows]
    assert shown[6][0] == ("odd", "-Infinity")
    shown[6][0] = ("odd", -math.inf)
    assert shown == [list(each.params.items()) for each in trials]


def test_integers_are_shown_without_a_fraction_and_choices_as_they_are(
    store: Store, claim: Claiming, sql: Sql
) -> None:
    with store.trial(claim()) as trial:
        drawn = {
            "layers": trial.suggest_int("layers", 3, 3),
            "mixed": trial.suggest_categorical("mixed", [None]),
            "rate": trial.suggest_float("rate", 1e-7, 1e-6),
        }
    ((shown,),) = sql("SELECT parameters::text FROM search_views.trials")
    assert shown[1:-1].strip() == json.dumps(drawn, separators=(", ", " : "))[1:-1]


def test_epochs_are_those_that_the_store_reads(
    store: Store, claim: Claiming, expire: Callable[[], None], sql: Sql
) -> None:
    fill(store, claim, expire)
    rows = sql(
        "SELECT trial, epoch, attempt, value::text, metrics ->> 'val_loss', seconds, images,"
        " recorded_at FROM search_views.epochs ORDER BY trial, epoch"
    )
    plain = {math.inf: ("Infinity", "inf")}
    assert len(rows) == len(store.epochs("toy")) == 8
    for row, epoch in zip(rows, store.epochs("toy"), strict=True):
        value = ("NaN", "nan") if math.isnan(epoch.value) else plain.get(epoch.value)
        assert row[3:5] == (value or (str(epoch.value), str(epoch.value)))
        same = (epoch.number, epoch.epoch, epoch.attempt, epoch.seconds, epoch.images)
        assert (*row[:3], *row[5:7], row[7]) == (*same, epoch.recorded_at)


def test_workers_are_those_that_the_store_reads_with_what_they_did(
    store: Store, claim: Claiming, expire: Callable[[], None], read: Callable[..., Any]
) -> None:
    fill(store, claim, expire)
    store.worker_ended("ada", -9, "killed")
    rows = {row["worker"]: row for row in read("workers")}
    for worker in store.workers("toy"):
        row = rows[worker.worker]
        for name in ("host", "device", "pid", "started_at", "seen_at", "ended_at", "exit_code"):
            assert row[name] == getattr(worker, name)
        assert (row["reason"], row["trial"]) == (worker.reason, worker.trial)
    assert [rows["ada"][name] for name in ("trial", "trials_ended", "epochs")] == [None, 5, 8]
    assert [rows["bob"][name] for name in ("trial", "trials_ended", "epochs")] == [7, 0, 0]


def place(sql: Sql, claim: Claim, *, start: float, end: float | None, epochs: object = ()) -> None:
    """Move an attempt and the epochs that it recorded to these hours of a day long past."""
    day, attempt = "timestamptz '2026-01-01' + interval '1 hour'", "trial_id = :id AND attempt = :n"
    given = {"id": claim.trial_id, "n": claim.attempt}
    table = "UPDATE search_service"
    sql(f"{table}.attempts SET started_at = {day} * :at WHERE {attempt}", at=start, **given)
    if end is not None:
        move = "ended_at = CASE WHEN ended_at IS NOT NULL THEN {0} END, beat_at = {0}"
        moved = move.format(f"{day} * :at")
        sql(f"{table}.attempts SET {moved} WHERE {attempt}", at=end, **given)
    for epoch, hour in dict(epochs).items():
        moved = f"recorded_at = {day} * :at, seconds = 3600"
        sql(f"{table}.epochs SET {moved} WHERE {attempt} AND epoch = :e", at=hour, e=epoch, **given)


def hours(sql: Sql, study: str = "toy") -> list[float]:
    """Read a study's row."""
    (row,) = sql(f"SELECT {HOURS} FROM search_views.gpu_hours WHERE study = :study", study=study)
    return [round(value, 3) for value in row]


def test_hours_are_counted_by_what_became_of_the_trials(
    store: Store, claim: Claiming, sql: Sql
) -> None:
    fixed = {"study": {"fixed": {"epochs": 10}}, "found": {"defaults": {"epochs": 99}}}
    store.update_definition("toy", fixed, trials=None)
    assert hours(sql) == [0] * 6
    for end, took in ((finished(0.1), 5), (ended("FAIL", "code_error"), 2)):
        held = claim()
        store.tell(held, end)
        place(sql, held, start=0, end=took)
    pruned = claim()
    record(store, pruned, 0.9, 0.8)
    store.tell(pruned, ended("PRUNED", "pruned"))
    place(sql, pruned, start=0, end=2.5, epochs={1: 1, 2: 2})

    # Eight of ten epochs were not trained, each as long as the two that were.
    assert hours(sql) == [5, 2.5, 2, 0, 0, 8]


def test_the_schedule_of_a_pruned_trial_is_the_drawn_one_times_the_folds(
    store: Store, claim: Claiming, sql: Sql
) -> None:
    definition = {"study": {"folds": 3}, "found": {"defaults": {"epochs": 99}}}
    store.update_definition("toy", definition, trials=None)
    held = claim()
    with store.trial(held) as trial:
        trial.suggest_categorical("epochs", [4])
    record(store, held, 0.9, 0.9)
    store.tell(held, ended("PRUNED", "pruned"))
    place(sql, held, start=0, end=2, epochs={1: 1, 2: 2})
    assert hours(sql)[-1] == 3 * 4 - 2


def test_what_another_attempt_had_to_do_again_is_lost(
    store: Store, claim: Claiming, sql: Sql
) -> None:
    first = claim()
    record(store, first, 0.9, 0.8)
    store.end_leases("ada", "killed")
    place(sql, first, start=0, end=2.5, epochs={1: 1, 2: 2})
    assert hours(sql) == [0, 0, 0, 2, 0.5, 0]

    without_epoch = claim()
    store.end_leases("ada", "killed")
    place(sql, without_epoch, start=3, end=4)
    assert hours(sql) == [0, 0, 0, 2, 1.5, 0]

    last = claim()
    record(store, last, 0.7, first=3)  # after an hour in which it trained epoch 2 again
    store.tell(last, finished(0.7))
    place(sql, last, start=4, end=6.25, epochs={3: 6})
    assert hours(sql) == [2 + 1.25, 0, 0, 0, 1.5 + 1, 0]


def test_a_running_attempt_counts_until_now_and_a_silent_one_until_its_last_beat(
    store: Store, claim: Claiming, sql: Sql, expire: Callable[[], None]
) -> None:
    held = claim()
    sql("UPDATE search_service.attempts SET started_at = started_at - interval '2 hours'")
    assert hours(sql)[3] == pytest.approx(2, abs=0.1)
    expire()
    place(sql, held, start=0, end=3)
    assert hours(sql) == [0, 0, 0, 3, 0, 0]


@pytest.fixture
def colleague(store: Store, sql: Sql, database_url: str) -> Iterator[Sql]:
    """Run a statement as the role that docs/results.md makes."""
    for statement in statements("results.md", "ana"):
        sql(statement)
    engine = create_engine(make_url(database_url).set(username="ana"), poolclass=NullPool)

    def run(statement: str) -> list[tuple[Any, ...]]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    yield run
    sql("DROP OWNED BY ana")
    sql("DROP ROLE ana")


def test_the_queries_of_the_docs_answer_a_colleague(
    store: Store, claim: Claiming, expire: Callable[[], None], colleague: Sql
) -> None:
    fill(store, claim, expire)
    queries = statements("house.md", "search_views.")
    assert [re.findall(r"search_views\.(\w+)", query) for query in queries] == [
        ["trials"], ["epochs"], ["workers"], ["gpu_hours"],
    ]  # fmt: skip
    for query in queries:
        assert colleague(query.replace("gleason", "toy"))


def test_a_colleague_reads_the_views_of_an_upgrade_too_and_no_table(
    colleague: Sql, sql: Sql
) -> None:
    sql(f"CREATE VIEW {VIEWS}.later AS SELECT 1 AS one")
    assert colleague(f"SELECT * FROM {VIEWS}.later") == [(1,)]
    for table in (f"{SCHEMA}.attempts", "trials"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            colleague(f"SELECT * FROM {table}")


def test_the_house_says_of_every_table_what_the_database_says() -> None:
    rows = re.findall(rf"^\| `{SCHEMA}\.(\w+)` \| (.*) \|$", (DOCS / "house.md").read_text(), re.M)
    assert dict(rows) == {table.name: table.comment for table in metadata.sorted_tables}


@pytest.mark.usefixtures("store")
def test_every_table_view_and_column_of_ours_is_explained(sql: Sql) -> None:
    unexplained = sql(
        "SELECT c.oid::regclass::text, a.attname FROM pg_class c"
        " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT attisdropped"
        " WHERE relnamespace::regnamespace::text = ANY(:ours) AND relkind IN ('r', 'v')"
        " AND (obj_description(c.oid, 'pg_class') IS NULL"
        " OR col_description(c.oid, a.attnum) IS NULL)",
        ours=[SCHEMA, VIEWS],
    )
    assert unexplained == []


def test_a_study_of_another_program_is_in_no_view(
    store: Store, database_url: str, read: Callable[..., Any]
) -> None:
    optuna.create_study(storage=database_url, study_name="theirs").ask()
    store.create(new_study("ours"))
    store.register_worker("ours", new_worker("eve"))
    assert {row["study"] for view in ("trials", "gpu_hours", "workers") for row in read(view)} == {
        "toy", "ours",
    }  # fmt: skip
