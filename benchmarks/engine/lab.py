"""Databases with studies of any size, each filled once and copied for every measurement."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, make_url, text

from benchmarks.engine.study import PLAIN, STUDY, Place, create, our_trials, plain_trials
from storage.store import NewWorker, Store

NUMBERS = itertools.count(1)  # of the databases of every lab of this process, which share a server
OTHERS = "others"  # the worker of all trials that nobody ran

# Copies of a study's first trial, with values of their own.
FILL = """
INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete)
SELECT n, :study, CAST(:state AS trialstate), now(), CASE :state WHEN 'COMPLETE' THEN now() END
  FROM generate_series(:first, :last) n;
INSERT INTO trial_values (trial_id, objective, value, value_type)
SELECT trial_id, 0, .2 + random(), 'FINITE' FROM trials
 WHERE study_id = :study AND number >= :first AND state = 'COMPLETE';
INSERT INTO trial_intermediate_values
       (trial_id, step, intermediate_value, intermediate_value_type)
SELECT trial_id, s, 1.0 / s + random() / 10, 'FINITE' FROM trials, generate_series(1, 5) s
 WHERE study_id = :study AND number >= :first AND (state = 'COMPLETE' OR s < 3);
INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
SELECT t.trial_id, p.param_name, CASE
       WHEN p.space ? 'choices' THEN floor(random() * jsonb_array_length(p.space -> 'choices'))
       WHEN p.space ->> 'log' = 'true' THEN exp(ln((p.space ->> 'low')::float) + random()
            * ln((p.space ->> 'high')::float / (p.space ->> 'low')::float))
       WHEN p.space ? 'step' AND p.space ->> 'step' = '1'
       THEN floor(random() * (1 + (p.space ->> 'high')::float))
       ELSE random() * (p.space ->> 'high')::float END,
       p.distribution_json
  FROM trials t, (SELECT *, distribution_json::jsonb -> 'attributes' AS space FROM trial_params
                   WHERE trial_id = (SELECT min(trial_id) FROM trials WHERE study_id = :study)
                   ORDER BY param_id) p
 WHERE t.study_id = :study AND t.number >= :first;
"""
FILL_OURS = """
INSERT INTO search_service.attempts
       (trial_id, attempt, worker_id, lease_seconds, ended_at, reason, ends_trial)
SELECT trial_id, 1, 'others', 86400, CASE state WHEN 'COMPLETE' THEN now() END,
       CASE state WHEN 'COMPLETE' THEN 'finished' END, state = 'COMPLETE' FROM trials
 WHERE study_id = :study AND number >= :first;
INSERT INTO search_service.epochs (trial_id, epoch, attempt, value, metrics, seconds, images)
SELECT i.trial_id, i.step, 1, i.intermediate_value, json_build_object('val_loss', 1), 1, 1000
  FROM trial_intermediate_values i JOIN trials t ON t.trial_id = i.trial_id
 WHERE t.study_id = :study AND t.number >= :first;
INSERT INTO search_service.rungs (trial_id, rung, study_id, kin, epoch, value, rank, among)
SELECT t.trial_id, r, :study, 'balancing=' || (ARRAY['none', 'sampler', 'ldam'])
       [CAST(p.param_value AS integer) + 1], 2 * r - 2, 1 + random(), 1, 1
  FROM trials t JOIN trial_params p ON p.trial_id = t.trial_id AND p.param_name = 'balancing',
       generate_series(2, 3) r
 WHERE t.study_id = :study AND t.number >= :first AND t.state = 'COMPLETE'
   AND (r = 2 OR t.number % 3 = 0);
UPDATE search_service.workers SET seen_at = clock_timestamp() WHERE worker_id = 'others';
"""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The numbers of trials in the studies that are measured."""

    none: int = 0
    small: int = 1_000
    middle: int = 10_000
    large: int = 100_000


@dataclass(kw_only=True)
class Lab:
    """A Postgres with a database for each size, to be copied.

    url: of the server's own database.
    trials: the trials that a median is taken of.
    rounds: the fresh processes, or the starts of several at once, that a median is taken of.
    seconds: how long several processes work in one round.
    """

    url: str
    home: Path
    sizes: Sizes = field(default_factory=Sizes)
    trials: int = 20
    rounds: int = 6
    seconds: float = 2.0

    def __post_init__(self) -> None:
        self._filled: dict[int, str] = {}

    @contextmanager
    def copy(self, size: int, running: int = 0) -> Iterator[Place]:
        """Yield a database with that many ended trials in each study, to be used up.

        The study of plain Optuna has no more than `sizes.middle`.

        running: the number of further trials, which other workers hold.
        """
        name = self._new_database(self._filled_to(size))
        place = self._place(name)
        if running:
            _fill(place.url, range(size, size + running), "RUNNING", (STUDY.name, PLAIN))
        try:
            yield place
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _filled_to(self, size: int) -> str:
        """Return the name of the database of that size, which is filled when it is first used."""
        if size not in self._filled:
            smaller = max((each for each in self._filled if each < size), default=None)
            if smaller is None:
                name = self._new_database("template1")
                _begin(self._place(name))
            else:
                name = self._new_database(self._filled[smaller])
            self._filled[size] = name
            names = (STUDY.name, PLAIN) if size <= self.sizes.middle else (STUDY.name,)
            _fill(self._place(name).url, range(smaller or 0, size), "COMPLETE", names)
        return self._filled[size]

    def _place(self, name: str) -> Place:
        url = make_url(self.url).set(database=name).render_as_string(hide_password=False)
        home = self.home / name
        home.mkdir(exist_ok=True)
        return Place(url, home)

    def _new_database(self, template: str) -> str:
        name = f"lab_{next(NUMBERS)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def _execute(self, statement: str) -> None:
        run_apart(self.url, statement)


def run_apart(url: str, statement: str) -> None:
    """Run a statement that stands outside any transaction."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(statement))


def _begin(place: Place) -> None:
    """Make both studies, each with its first trial, whose values all others copy."""
    with Store.open(place.url) as store:
        create(store)
        others = NewWorker(name=OTHERS, host="host", pid=1, device="cpu", threads=1)
        store.register_worker(STUDY.name, others)
    for side in (our_trials, plain_trials):
        with side(place) as turn:
            turn()


def _fill(url: str, numbers: range, state: str, names: tuple[str, ...]) -> None:
    """Add trials to studies, those of their numbers that are not there yet."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        # Rows that fit are written, so that nothing needs to be checked: three times as fast.
        connection.execute(text("SET session_replication_role = replica"))
        for name in names:
            _fill_one(connection, name, numbers, state)
    run_apart(url, "VACUUM (ANALYZE)")  # else it is done in the middle of a measurement


def _fill_one(connection: Connection, name: str, numbers: range, state: str) -> None:
    query = "SELECT study_id FROM studies WHERE study_name = :name"
    study = connection.scalar(text(query), {"name": name})
    count = "SELECT count(*) FROM trials WHERE study_id = :study"
    first = connection.scalar(text(count), {"study": study})
    given = {"study": study, "first": first, "last": numbers.stop - 1, "state": state}
    statements = FILL + (FILL_OURS if name == STUDY.name else "")
    for statement in statements.split(";\n")[:-1] if first < numbers.stop else ():
        connection.execute(text(statement.replace("::", r"\:\:")), given)
