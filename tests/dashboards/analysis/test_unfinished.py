"""What is said of a study of which no trial has finished."""

from dataclasses import replace
from pathlib import Path

import pytest

from dashboards.analysis import wording
from dashboards.analysis.snapshot import Snapshot
from dashboards.analysis.unfinished import WAYS, why_none_finished
from search.exports.trial import export_trial
from spaces.errors import StudyError
from storage.rows import Outcome, TrialRow
from storage.store import Store
from tests.search.terminal.test_progress import STUDY, ended, running, snapshot
from tests.search.toy_worker import attempt, make_worker

NAN = "train_loss is nan at epoch 1"


def all_ended(outcome: str, detail: str = "") -> Snapshot:
    return snapshot(*(ended(number, outcome, detail) for number in range(STUDY.trials)))


@pytest.mark.parametrize("outcome", [each for each in Outcome if each != Outcome.FINISHED])
def test_where_all_trials_ended_alike_nobody_is_told_to_wait(outcome: Outcome) -> None:
    why = why_none_finished(all_ended(outcome, "the reason"))
    assert why.found == f"none of 4 trials finished: 4 {outcome} (trial 0: the reason)"
    assert why.fix == WAYS.get(
        outcome, "begin more with `search run --study toy-practice --trials 8`"
    )


def test_the_most_common_ending_decides_the_way() -> None:
    mixed = snapshot(
        ended(0, "code_error", "ValueError"), *(ended(n, "diverged", NAN) for n in (1, 2, 3))
    )
    why = why_none_finished(mixed)
    assert why.found == f"none of 4 trials finished: 3 diverged, 1 code_error (trial 1: {NAN})"
    assert "lower the learning rates" in why.fix


@pytest.mark.parametrize(
    ("trials", "found", "fix"),
    [
        ((), "no trial has begun yet", "wait"),
        ((running(0, epoch=1),), "no trial has finished yet", "wait"),
        (
            (ended(0, "diverged", NAN), running(1, epoch=None)),
            f"no trial has finished yet: 1 diverged (trial 0: {NAN})",
            "wait",
        ),
    ],
)
def test_while_trials_are_left_the_way_is_to_wait_or_to_go_on(
    trials: tuple[TrialRow, ...], found: str, fix: str
) -> None:
    now = snapshot(*trials)
    why = why_none_finished(now)
    assert (why.found, why.fix) == (found, fix)
    why = why_none_finished(replace(now, look=replace(now.look, workers=[])))
    assert (why.found, why.fix) == (found, "go on with `search run --study toy-practice`")


def test_status_and_the_end_of_a_run_say_why_nothing_finished() -> None:
    assert wording.best(all_ended("diverged", NAN)).startswith(
        f"none of 4 trials finished: 4 diverged (trial 0: {NAN}); look for numbers"
    )


def test_an_export_of_a_study_that_diverged_says_so(store: Store, tmp_path: Path) -> None:
    worker = make_worker(store, tmp_path, {"diverge_at": 2}, trials=2)
    assert [attempt(worker).outcome for _ in range(2)] == [Outcome.DIVERGED] * 2
    with pytest.raises(StudyError, match=r"none of 2 trials finished: 2 diverged .*--trial 0"):
        export_trial(store, "toy", "best")
    assert export_trial(store, "toy", "0").outcome == "diverged"
