"""Attempts, hours and events of a stored study, read again and again."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from dashboards.analysis.attempts.happenings import HappeningsReader, Kind
from dashboards.analysis.attempts.hours import HoursReader
from dashboards.analysis.attempts.lanes import LanesReader
from dashboards.analysis.attempts.ledger import Ledger
from dashboards.analysis.snapshot import Snapshot, read_snapshot
from storage.errors import DatabaseUnreachable
from storage.live.outages import NewOutage
from storage.store import Claim, Store
from tests.search.many_trials import copy_first_trial, rows_sent
from tests.search.toy_worker import attempt, lease, make_worker
from tests.storage.samples import new_worker


class Looker:
    """Somebody who looks at the study again and again."""

    def __init__(self, store: Store) -> None:
        self.store, ledger = store, Ledger()
        self.lanes, self.happenings = LanesReader(ledger), HappeningsReader(ledger)
        self.hours = HoursReader()
        self.snapshot: Snapshot | None = None

    def look(self) -> Snapshot:
        self.snapshot = read_snapshot(self.store, "toy", self.snapshot)
        return self.snapshot


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ten seconds pass between two looks."""
    monkeypatch.setattr("dashboards.analysis.attempts.seldom.SECONDS", 0.0)


def test_what_is_read_again_says_what_is_read_anew(
    store: Store, tmp_path: Path, no_patience: None
) -> None:
    worker, looker = make_worker(store, tmp_path, trials=9), Looker(store)
    for round_ in range(3):
        attempt(worker)
        store.register_worker("toy", new_worker(f"other-{round_}"))
        store.worker_ended(f"other-{round_}", 0, "nothing left to do")
        snapshot = looker.look()
        now = [part.read(store, snapshot) for part in (looker.lanes, looker.happenings)]
    anew = Looker(store)
    assert now == [part.read(store, anew.look()) for part in (anew.lanes, anew.happenings)]
    again, first = (each.hours.read(store, each.look()) for each in (looker, anew))
    assert again.finished == pytest.approx(first.finished)
    assert again.total > 0


def test_the_axis_and_a_stop_have_the_time_of_the_database_and_not_of_the_dashboards_machine(
    store: Store, tmp_path: Path
) -> None:
    worker, looker = make_worker(store, tmp_path), Looker(store)
    lease(worker)
    looker.happenings.read(store, looker.look())
    store.request_stop("toy", "drain")
    snapshot = looker.look()
    assert snapshot.look.read_at
    hours_later = snapshot.look.read_at + timedelta(hours=5)
    snapshot = replace(snapshot, look=replace(snapshot.look, read_at=hours_later))

    until = looker.lanes.read(store, snapshot).until

    assert until
    assert timedelta(0) <= until - hours_later <= timedelta(hours=2)
    assert looker.happenings.read(store, snapshot).notable[0].at == hours_later


def test_a_look_without_news_reads_nothing(store: Store, tmp_path: Path) -> None:
    attempt(make_worker(store, tmp_path))
    looker = Looker(store)
    for part in (looker.lanes, looker.happenings, looker.hours):
        part.read(store, looker.snapshot or looker.look())
    snapshot = looker.look()
    with rows_sent(store) as sent:
        for part in (looker.lanes, looker.happenings, looker.hours):
            part.read(store, snapshot)
    assert sent == []


def test_an_outage_is_seen_within_seconds(store: Store, tmp_path: Path, no_patience: None) -> None:
    attempt(make_worker(store, tmp_path))
    looker = Looker(store)
    looker.lanes.read(store, looker.look())
    store.note_outage(NewOutage(worker="w", outage=1, seconds=180.0, epochs=6))

    snapshot = looker.look()
    (span,) = looker.lanes.read(store, snapshot).lanes[0].outages
    (away,) = (
        each for each in looker.happenings.read(store, snapshot).notable if each.kind == Kind.AWAY
    )
    assert (span.end - span.begin).total_seconds() == pytest.approx(180)
    assert (away.seconds, away.count) == (pytest.approx(180), 6)


def test_a_stop_that_somebody_asks_for_is_told_while_it_stands(
    store: Store, tmp_path: Path
) -> None:
    make_worker(store, tmp_path)
    looker = Looker(store)

    def kinds() -> list[Kind]:
        return [each.kind for each in looker.happenings.read(store, looker.look()).notable]

    assert Kind.STOP not in kinds()
    store.request_stop("toy", "drain")
    assert kinds()[0] == kinds()[0] == Kind.STOP
    store.clear_stop("toy")
    assert Kind.STOP not in kinds()


def test_the_parts_of_a_long_study_are_bounded(store: Store, tmp_path: Path) -> None:
    attempt(make_worker(store, tmp_path, trials=3000))
    copy_first_trial(store, 2000)
    looker = Looker(store)
    snapshot = looker.look()
    with rows_sent(store) as sent:
        lanes = looker.lanes.read(store, snapshot)
        found = looker.happenings.read(store, snapshot)
    assert (len(lanes.boxes), lanes.is_all) == (300, False)
    assert (len(found.every), max(sent)) == (50, 300)


def test_a_claim_gives_a_lane_its_box_at_once(store: Store, tmp_path: Path) -> None:
    make_worker(store, tmp_path)
    looker = Looker(store)
    assert looker.lanes.read(store, looker.look()).begin is None
    assert isinstance(store.claim("toy", "w", lease_seconds=30), Claim)
    lanes = looker.lanes.read(store, looker.look())
    assert (lanes.is_running, len(lanes.boxes)) == (True, 1)


def test_a_claim_is_read_at_the_next_look_where_the_database_was_away(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_worker(store, tmp_path)
    looker = Looker(store)
    looker.lanes.read(store, looker.look())
    assert isinstance(store.claim("toy", "w", lease_seconds=30), Claim)
    with monkeypatch.context() as cut:
        cut.setattr(store, "attempts_of", away)
        with pytest.raises(DatabaseUnreachable):
            looker.lanes.read(store, looker.look())
    assert len(looker.lanes.read(store, looker.look()).boxes) == 1


def away(*_: object) -> NoReturn:
    raise DatabaseUnreachable("the connection was lost", "start the server again")
