"""Attempts in the lanes of their places."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboards.analysis.attempts.lanes import Box, How, Lane, by_host, lanes_of
from dashboards.analysis.attempts.ledger import Slot, slot_of
from dashboards.analysis.wording import slot_name
from storage.live.outages import OutageRow
from storage.rows import AttemptRow, HandBackReason, Outcome

START = datetime(2026, 3, 1, 22, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def attempt(number: int, begin: float, end: float | None, **changes: Any) -> AttemptRow:
    plain: dict[str, Any] = {
        "number": number,
        "trial_id": number,
        "attempt": 1,
        "worker": "box-1-aaaaaa",
        "host": "box",
        "device": "cuda",
        "threads": 1,
        "machine": {},
        "started_at": at(begin),
        "beat_at": at(begin if end is None else end),
        "ended_at": None if end is None else at(end),
        "reason": None if end is None else Outcome.FINISHED,
        "detail": None,
        "epochs": 1,
    }
    return AttemptRow(**plain | changes)


def numbers(boxes: Iterable[Box]) -> list[int]:
    return [box.number for box in boxes]


@pytest.mark.parametrize(
    ("worker", "place"),
    [
        ("box-2-3f9a21", 2),
        ("lab-ws-1-2-3f9a21", 0),  # of another host
        ("box-40133-3f9a21", 0),  # a process that was started without a supervisor
        ("box--2-3f9a21", 0),
        ("anything", 0),
    ],
)
def test_the_place_of_a_worker_is_in_its_name(worker: str, place: int) -> None:
    assert slot_of(attempt(0, 0, 1, worker=worker)).place == place
    of_another = attempt(0, 0, 1, worker="lab-ws-1-2-3f9a21", host="lab-ws-1", device="cpu")
    assert slot_of(of_another) == Slot(host="lab-ws-1", device="cpu", place=2)


@pytest.mark.parametrize(
    ("place", "gpu", "name"),
    [
        (1, "0", "box · GPU 0"),
        (3, "0", "box · GPU 0 · worker 3"),
        (1, "2", "box · GPU 2 · worker 1"),
        (0, "2", "box · GPU 2"),
        (1, "GPU-8f3a1c2d-77aa-4b1e-9c55-0123456789ab", "box · GPU 8f3a1c2d · worker 1"),
        (2, "MIG-8f3a1c2d-77aa-4b1e-9c55-0123456789ab", "box · MIG 8f3a1c2d · worker 2"),
    ],
)
def test_a_lane_has_the_gpu_of_its_worker(place: int, gpu: str, name: str) -> None:
    row = attempt(0, 0, 1, worker=f"box-{place}-aaaaaa", machine={"gpu": gpu})
    assert slot_name(slot_of(row)) == name


def test_a_lane_without_a_gpu_has_the_number_of_its_worker() -> None:
    assert slot_name(Slot(host="box", device="cpu", place=2)) == "box · CPU 2"
    assert slot_name(Slot(host="box", device="cpu")) == "box · CPU"


def test_a_worker_that_replaces_another_has_its_lane() -> None:
    rows = [
        attempt(0, 0, 10, reason=HandBackReason.KILLED),
        attempt(0, 12, None, worker="box-1-bbbbbb", attempt=2),
        attempt(1, 0, 15, worker="box-2-cccccc"),
    ]
    first, second = lanes_of(rows, [])
    assert [(box.attempt, box.how) for box in first.boxes] == [(1, How.KILLED), (2, How.RUNNING)]
    assert (first.slot.place, second.slot.place, numbers(second.boxes)) == (1, 2, [1])


@pytest.mark.parametrize(
    ("reason", "how"),
    [
        (None, How.RUNNING),
        *((reason, How.KILLED) for reason in ("killed", "stalled", "orphaned", "lost")),
        *((reason, How.HANDED_BACK) for reason in ("drained", "stopped", "stopped at once")),
    ],
)
def test_an_attempt_that_was_handed_back_is_no_death(reason: str | None, how: How) -> None:
    end = None if reason is None else 5
    row = attempt(0, 0, end, reason=HandBackReason(reason) if reason else None)
    assert lanes_of([row], [])[0].boxes[0].how == how


@pytest.mark.parametrize("outcome", [each for each in Outcome if each not in ("killed", "stalled")])
def test_every_outcome_of_a_trial_has_its_way(outcome: Outcome) -> None:
    box = lanes_of([attempt(0, 0, 5, reason=outcome)], [], best=0)[0].boxes[0]
    assert box.how in (How.FINISHED, How.PRUNED, How.FAILED, How.KILLED)
    assert box.is_best == (outcome == Outcome.FINISHED)


def test_an_attempt_whose_worker_went_silent_ends_with_its_last_beat() -> None:
    row = attempt(3, 0, None, beat_at=at(4))
    box = lanes_of([row], [], silent={3})[0].boxes[0]
    assert (box.how, box.end) == (How.SILENT, at(4))


def test_an_outage_stands_in_the_lane_of_the_worker_that_had_it() -> None:
    rows = [attempt(0, 0, 9), attempt(1, 0, 9, worker="box-2-cccccc")]
    away = OutageRow(worker="box-2-cccccc", began_at=at(3), ended_at=at(6), epochs=2)
    forgotten = OutageRow(worker="long ago", began_at=at(3), ended_at=at(6), epochs=2)
    first, second = lanes_of(rows, [away, forgotten])
    assert (len(first.outages), len(second.outages)) == (0, 1)
    assert second.outages[0].end == at(6)


def test_workers_without_a_place_share_a_lane_in_rows() -> None:
    rows = [
        attempt(0, 0, 10, worker="box-70001-aaaaaa"),
        attempt(1, 5, 20, worker="box-70002-bbbbbb"),
        attempt(2, 10, 20, worker="box-70001-aaaaaa"),
    ]
    (lane,) = lanes_of(rows, [])
    assert [(box.number, box.row) for box in lane.boxes] == [(0, 0), (1, 1), (2, 0)]
    assert lane.rows == 2


def test_many_lanes_become_one_a_host() -> None:
    rows = [
        attempt(n, 0, 10, worker=f"{host}-{n}-aaaaaa", host=host)
        for n in range(1, 9)
        for host in ("a", "b")
    ]
    grouped: list[Lane] = by_host(lanes_of(rows, []))
    assert [(lane.slot.host, lane.places, lane.rows) for lane in grouped] == [
        ("a", 8, 8),
        ("b", 8, 8),
    ]
