"""The events that a watch finds in looks at a study."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from dashboards.analysis.snapshot import Snapshot, read_snapshot
from search.notify.message import Message
from search.notify.watch import NOBODY_SECONDS, Watch
from spaces.exits import BROKEN_OFF, DONE, DRAINED, FAILED, KILLED, MISMATCH, WRONG
from storage.rows import WorkerRow
from storage.store import Claim, Store
from tests.storage.samples import finished

MINUTE = 60.0
Changed = Callable[..., Snapshot]


@dataclass
class Heard:
    """A watch with a clock that tests turn, and what it has told."""

    seconds: float = 0.0
    told: list[Message] = field(default_factory=list)
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(self.told.append, lambda: self.seconds)

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.told]


@pytest.fixture
def heard() -> Heard:
    return Heard()


def worker(**changes: object) -> WorkerRow:
    now = datetime.now(UTC)
    row = WorkerRow(
        worker="ada",
        host="box",
        pid=7,
        device="cpu",
        threads=1,
        machine={},
        started_at=now,
        seen_at=now,
        ended_at=None,
        exit_code=None,
        reason=None,
        trial=None,
        silent_seconds=0.0,
        is_overdue=False,
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def with_workers(snapshot: Snapshot, *workers: WorkerRow) -> Snapshot:
    return replace(snapshot, look=replace(snapshot.look, workers=workers))


@pytest.fixture
def running(study: Store) -> Snapshot:
    """The study while ada has trial 0, and its attempt has just begun."""
    assert isinstance(study.claim("toy", "ada", lease_seconds=30), Claim)
    return read_snapshot(study, "toy")


@pytest.fixture
def finished_one(study: Store) -> Snapshot:
    claim = study.claim("toy", "ada", lease_seconds=30)
    assert isinstance(claim, Claim)
    study.tell(claim, finished(0.25))
    return read_snapshot(study, "toy")


def orphaned(running: Snapshot) -> Snapshot:
    """The same after the lease of ada's attempt has expired."""
    trial = replace(running.running[0], is_leased=False)
    look = replace(running.look, running=[trial], workers=[worker(is_overdue=True)])
    return replace(running, look=look)


def test_a_run_that_is_done_is_finished(heard: Heard, finished_one: Snapshot) -> None:
    heard.watch.ended(finished_one, DONE)
    assert heard.texts == [
        "toy is finished: 1 of 2 trials have ended, best val_loss 0.25 in trial 0."
    ]


def test_the_same_end_has_the_same_id_in_every_run_and_another_for_more_trials(
    heard: Heard, snapshot: Snapshot
) -> None:
    more = replace(
        snapshot,
        stored=replace(snapshot.stored, study=replace(snapshot.study, trials=4)),
    )
    restarted = replace(snapshot, look=replace(snapshot.look, identity="another server process"))
    heard.watch.ended(snapshot, DONE)
    Watch(heard.told.append).ended(restarted, DONE)
    heard.watch.ended(more, DONE)
    first, second, third = (message.id for message in heard.told)
    assert first == second != third


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (BROKEN_OFF, "the same error ended three trials"),
        (FAILED, "its workers ended again and again without an epoch"),
        (WRONG, "its study, data or settings cannot be used as they are"),
        (MISMATCH, "this machine does not match the study"),
    ],
)
def test_a_run_that_stops_by_itself_says_why(
    heard: Heard, snapshot: Snapshot, code: int, why: str
) -> None:
    heard.watch.ended(snapshot, code)
    counts = "0 of 2 trials have ended, none finished"
    assert heard.texts == [f"toy has stopped by itself because {why}: {counts}."]


def test_the_stop_of_another_run_is_another_event(heard: Heard, snapshot: Snapshot) -> None:
    heard.watch.ended(snapshot, BROKEN_OFF)
    Watch(heard.told.append).ended(snapshot, BROKEN_OFF)
    assert len({message.id for message in heard.told}) == 2


@pytest.mark.parametrize("code", [DRAINED, KILLED])
def test_a_stop_that_somebody_asked_for_is_no_event(
    heard: Heard, snapshot: Snapshot, code: int
) -> None:
    heard.watch.ended(snapshot, code)
    assert heard.told == []


def test_the_kill_of_a_worker_that_no_longer_moved_is_told_once(
    heard: Heard, running: Snapshot
) -> None:
    heard.watch.killed(running, "ada")
    heard.watch.killed(running, "ada")
    heard.watch.killed(running, "bob")
    assert heard.texts == [
        "Trial 0 of toy made no step for too long: its worker was killed, another one continues it."
    ]


def test_a_silent_worker_whose_trial_nobody_takes_over_is_told_after_stall_minutes(
    heard: Heard, running: Snapshot
) -> None:
    silent = orphaned(running)
    helped = with_workers(silent, *silent.look.workers, worker(worker="bob", trial=1))
    for heard.seconds in (0.0, 15 * MINUTE, 15 * MINUTE + 1, 16 * MINUTE):
        heard.watch.look(helped)
    assert heard.texts == ["Trial 0 of toy waits: its worker has been silent for 15 min."]


def test_a_trial_that_is_taken_over_in_time_is_not_told(heard: Heard, running: Snapshot) -> None:
    silent = orphaned(running)
    for heard.seconds, seen in ((0.0, silent), (14 * MINUTE, running), (16 * MINUTE, silent)):
        heard.watch.look(with_workers(seen, *seen.look.workers, worker(worker="bob")))
    assert heard.told == []


def test_silence_is_counted_anew_after_an_outage(heard: Heard, running: Snapshot) -> None:
    silent = with_workers(orphaned(running), worker(is_overdue=True), worker(worker="bob"))
    heard.watch.look(silent)
    heard.seconds = 10 * MINUTE
    heard.watch.database_is_away(silent)
    heard.seconds = 20 * MINUTE
    heard.watch.look(silent)
    assert heard.told == []


@pytest.mark.parametrize("there", [(), (worker(is_overdue=True),), (worker(silent_seconds=900),)])
def test_no_living_worker_for_15_minutes_is_told_once_a_time(
    heard: Heard, snapshot: Snapshot, there: tuple[WorkerRow, ...]
) -> None:
    idle = with_workers(snapshot, *there)
    for heard.seconds in (0.0, NOBODY_SECONDS, NOBODY_SECONDS + 1, NOBODY_SECONDS + 2):
        heard.watch.look(idle)
    counts = "0 of 2 trials have ended, none finished"
    assert heard.texts == [f"No worker has worked on toy for 15 min: {counts}."]

    heard.watch.look(with_workers(snapshot, worker()))
    for heard.seconds in (2 * NOBODY_SECONDS, 4 * NOBODY_SECONDS):
        heard.watch.look(idle)
    assert len({message.id for message in heard.told}) == 2


def test_nobody_need_work_where_no_trial_is_left(heard: Heard, snapshot: Snapshot) -> None:
    counts = replace(snapshot.look.counts, total=2)
    idle = with_workers(replace(snapshot, look=replace(snapshot.look, counts=counts)))
    for heard.seconds in (0.0, 2 * NOBODY_SECONDS):
        heard.watch.look(idle)
    assert heard.told == []


def test_a_database_that_stays_away_is_told_once_an_outage(
    heard: Heard, snapshot: Snapshot
) -> None:
    for heard.seconds in (0.0, 15 * MINUTE, 15 * MINUTE + 1, 20 * MINUTE):
        heard.watch.database_is_away(snapshot)
    assert heard.texts == ["The database of toy has not answered for 15 min."]

    heard.watch.look(with_workers(snapshot, worker()))
    for heard.seconds in (21 * MINUTE, 40 * MINUTE):
        heard.watch.database_is_away(snapshot)
    assert len({message.id for message in heard.told}) == 2
