"""Changes that a person makes to a study, from the command line or from its page."""

import pytest

from dashboards.changes import end_trial, set_total, stop_study
from spaces.errors import StudyError
from spaces.stored import from_json
from storage.errors import LeaseLost, StorageError
from storage.rows import Outcome
from storage.store import Claim, Nothing, Store
from tests.dashboards.conftest import begin


def test_a_stop_reaches_the_workers_and_says_when(store: Store) -> None:
    assert "after the epoch in flight" in stop_study(store, "toy", "drain")
    assert store.study("toy").stop == "drain"


def test_an_ended_trial_is_lost_to_its_worker_and_never_the_best(store: Store) -> None:
    [running] = [row for row in store.trials("toy") if row.state == "RUNNING"]
    claim = Claim(
        study="toy", trial_id=running.trial_id, number=running.number, attempt=1, worker="ada"
    )

    assert "is ended" in end_trial(store, "toy", running.number)

    with pytest.raises(LeaseLost):
        store.beat(claim)
    [attempt] = store.attempts_of("toy", [running.number])
    [trial] = store.trials_of("toy", [running.number])
    assert trial.outcome == attempt.reason == Outcome.ENDED_ELSEWHERE
    assert attempt.ended_at == trial.ended_at
    assert "had ended before" in end_trial(store, "toy", running.number)


def test_a_finished_trial_stays_finished(store: Store) -> None:
    assert "had ended before" in end_trial(store, "toy", 0)
    assert store.trials_of("toy", [0])[0].outcome == Outcome.FINISHED


def test_a_trial_that_is_not_there_is_refused(store: Store) -> None:
    with pytest.raises(StorageError, match="no trial 99"):
        end_trial(store, "toy", 99)


def test_a_larger_total_lets_workers_claim_again(store: Store) -> None:
    begin_all = store.claim("toy", "ada", lease_seconds=30)
    assert isinstance(begin_all, Claim)  # its own trial again: the third and last
    end_trial(store, "toy", begin_all.number)
    assert store.claim("toy", "ada", lease_seconds=30) is Nothing.DONE

    set_total(store, "toy", 4)

    assert begin(store).number == 3
    assert from_json(store.study("toy").definition).study.trials == 4


@pytest.mark.parametrize("total", [-1, 0, 2, 10**7])
def test_a_total_that_cannot_be_is_refused(store: Store, total: int) -> None:
    with pytest.raises(StudyError, match="cannot be its total"):
        set_total(store, "toy", total)
