"""What happened, told from rows."""

from collections.abc import Sequence
from typing import Any

import pytest

from dashboards.analysis.attempts.happenings import (
    MOST_HAPPENINGS,
    Happening,
    Kind,
    newest,
    of_deaths,
    of_outages,
    of_trials,
    of_workers,
)
from storage.live.history import BestStep
from storage.live.outages import OutageRow
from storage.rows import HandBackReason, Outcome, WorkerRow
from tests.dashboards.analysis.attempts.test_lanes import at, attempt


def worker(name: str, begin: float, end: float | None = None, **changes: Any) -> WorkerRow:
    plain: dict[str, Any] = {
        "worker": name,
        "host": "box",
        "pid": 1,
        "device": "cpu",
        "threads": 1,
        "machine": {},
        "started_at": at(begin),
        "seen_at": at(begin),
        "ended_at": None if end is None else at(end),
        "exit_code": None if end is None else 0,
        "reason": None,
        "trial": None,
        "silent_seconds": 0.0,
        "is_overdue": False,
    }
    return WorkerRow(**plain | changes)


def kinds(found: Sequence[Happening]) -> list[Kind]:
    return [each.kind for each in found]


def test_a_trial_that_was_the_best_is_told_once() -> None:
    steps = [BestStep(number=0, value=0.5, ended_at=at(5))]
    rows = [attempt(0, 0, 5), attempt(1, 0, 6), attempt(2, 0, 7, reason=Outcome.PRUNED)]
    found = list(of_trials(rows, steps, {0: 0.5, 1: 0.7}))
    assert [(each.kind, each.number, each.value) for each in found] == [
        (Kind.BEST, 0, 0.5),
        (Kind.FINISHED, 1, 0.7),
        (Kind.PRUNED, 2, None),
    ]


def test_a_failure_comes_with_its_reason() -> None:
    detail = "val_loss 4.81 in epoch 3"
    (found,) = of_trials([attempt(4, 0, 5, reason=Outcome.DIVERGED, detail=detail)], [], {})
    assert (found.kind, found.reason, found.detail) == (Kind.FAILED, "diverged", detail)


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_death_says_whether_its_trial_went_on(goes_on: bool) -> None:
    rows = [attempt(4, 0, 5, reason=HandBackReason.KILLED)]
    if goes_on:
        rows.append(attempt(4, 6, None, attempt=2, worker="box-2-bbbbbb"))
    dead = worker("box-1-aaaaaa", 0, 5, exit_code=-9, reason="the last line of its log")
    (found,) = of_deaths(rows, {dead.worker: dead})
    assert (found.attempt, found.exit_code) == (2 if goes_on else 0, -9)


def test_an_attempt_that_was_handed_back_is_no_event_of_its_own() -> None:
    row = attempt(4, 0, 5, reason=HandBackReason.DRAINED)
    assert [*of_deaths([row], {}), *of_trials([row], [], {})] == []


def test_one_outage_that_several_workers_had_is_told_once() -> None:
    rows = [
        OutageRow(worker="a", began_at=at(10), ended_at=at(13), epochs=2),
        OutageRow(worker="b", began_at=at(11), ended_at=at(14), epochs=4),
        OutageRow(worker="a", began_at=at(40), ended_at=at(41), epochs=1),
    ]
    found = list(of_outages(reversed(rows)))
    assert [(each.at, each.seconds, each.count) for each in found] == [
        (at(14), 240.0, 6),
        (at(41), 60.0, 1),
    ]


def test_workers_that_start_together_are_told_as_one() -> None:
    rows = [worker(f"box-{n}-aaaaaa", n / 10) for n in (1, 2, 3)]
    (found,) = of_workers([*rows, *rows], [])
    assert (found.kind, found.count, found.slot and found.slot.host) == (Kind.JOINED, 3, "box")


def test_a_worker_that_replaces_a_dead_one_is_no_news_and_neither_is_the_dead_one() -> None:
    dead = worker("box-1-aaaaaa", 0, 20, exit_code=-9, reason="killed by signal 9")
    new = worker("box-1-bbbbbb", 21)
    rows = [attempt(0, 1, 20, reason=HandBackReason.KILLED)]
    assert kinds(list(of_workers([dead, new], rows))) == [Kind.JOINED]


def test_a_worker_that_broke_without_a_trial_says_how() -> None:
    (_, found) = of_workers([worker("box-1-a", 0, 1, exit_code=66, reason="no such folder")], [])
    assert (found.kind, found.exit_code, found.detail) == (Kind.BROKE, 66, "no such folder")


def test_the_usual_ends_of_trials_are_not_notable_and_hide_nothing() -> None:
    rows = [attempt(number, number, number + 1) for number in range(90)]
    rows.append(attempt(99, 0, 1, reason=Outcome.DIVERGED))
    found = newest(of_trials(rows, [], {}))
    assert len(found.every) == MOST_HAPPENINGS
    assert kinds(found.notable) == [Kind.FAILED]
    assert [each.number for each in found.every[:2]] == [89, 88]
