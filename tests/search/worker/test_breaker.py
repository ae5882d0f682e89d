"""When trial after trial ends by the same error, the study stops instead of burning its budget."""

from datetime import UTC, datetime, timedelta

import pytest

from search.errors import StudyBroken
from search.worker.breaker import check_broken
from storage.rows import TrialRow

START = datetime(2026, 1, 1, tzinfo=UTC)
BUG, ELSEWHERE = "ZeroDivisionError at losses.py:7", "ZeroDivisionError at losses.py:8"


def ended(*outcomes: tuple[str, str]) -> list[TrialRow]:
    """Trials that ended one after the other, each with its outcome and where."""
    return [
        TrialRow(
            number=number,
            trial_id=number,
            state="COMPLETE" if outcome == "finished" else "FAIL",
            outcome=outcome,
            detail=f"{where}: the {number}. time",
            where=where or None,
            value=None,
            params={},
            attempts=1,
            worker="w",
            is_leased=False,
            started_at=START,
            ended_at=START + timedelta(minutes=number),
            last=None,
            best=None,
        )
        for number, (outcome, where) in enumerate(outcomes)
    ]


def test_three_times_the_same_error_stops_the_study_with_its_place() -> None:
    with pytest.raises(StudyBroken, match=r"losses\.py:7.*search run --study small"):
        check_broken("small", ended(*[("code_error", BUG)] * 3), since=START)


def test_pruned_trials_in_between_do_not_count() -> None:
    with pytest.raises(StudyBroken):
        check_broken("small", ended(*[("code_error", BUG), ("pruned", "")] * 3), since=START)


@pytest.mark.parametrize(
    "outcomes",
    [
        [("code_error", BUG)] * 2,
        [("code_error", BUG), ("code_error", BUG), ("finished", ""), ("code_error", BUG)],
        [("code_error", BUG), ("code_error", BUG), ("code_error", ELSEWHERE)],
        [("diverged", "")] * 5,
    ],
    ids=["only two", "one was complete between", "another place", "configurations, not code"],
)
def test_a_study_that_may_recover_goes_on(outcomes: list[tuple[str, str]]) -> None:
    assert check_broken("small", ended(*outcomes), since=START) is None


def test_failures_before_this_run_began_do_not_stop_it() -> None:
    trials = ended(*[("code_error", BUG)] * 5)

    assert check_broken("small", trials, since=START + timedelta(minutes=3)) is None
