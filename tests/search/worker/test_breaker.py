"""When trial after trial ends by the same error, the study stops instead of burning its budget."""

from dataclasses import replace
from pathlib import Path

import pytest

from search.errors import StudyBroken
from search.worker.endings import Ending, Failed, Finished, Pruned
from search.worker.worker import Worker
from spaces.found import Found
from storage.rows import Outcome
from storage.store import Store
from tests.search.toy_worker import end, lease, make_worker

BUG, ELSEWHERE = "ZeroDivisionError at losses.py:7", "ZeroDivisionError at losses.py:8"


@pytest.fixture
def worker(store: Store, tmp_path: Path) -> Worker:
    return make_worker(store, tmp_path, trials=9)


def broken(where: str = BUG) -> Failed:
    return Failed(outcome=Outcome.CODE_ERROR, detail=f"{where}: division by zero", where=where)


def run(worker: Worker, *endings: Ending) -> None:
    """Take one trial after the other to its ending."""
    for ending in endings:
        leased = lease(worker)
        leased.folder.mkdir(parents=True)
        end(leased, ending)


def test_three_times_the_same_error_stops_the_study_with_its_place(worker: Worker) -> None:
    run(worker, broken(), broken())
    with pytest.raises(StudyBroken, match=r"losses\.py:7.*search run --study toy"):
        run(worker, broken())


def test_an_authors_own_code_may_go_on_as_it_was_mended(worker: Worker) -> None:
    own = {"kind": "script", "fields": None, "deterministic": False, "files": {}}
    ours = replace(worker, stored=replace(worker.stored, found=Found(own=own)))
    run(ours, broken(), broken())
    with pytest.raises(StudyBroken, match="search run --study toy --accept-code"):
        run(ours, broken())


def test_pruned_trials_in_between_do_not_count(worker: Worker) -> None:
    run(worker, broken(), Pruned(1, ""), broken(), Pruned(1, ""))
    with pytest.raises(StudyBroken):
        run(worker, broken())


@pytest.mark.parametrize(
    "endings",
    [
        [broken(), broken()],
        [broken(), broken(), Finished(0.5, (1,)), broken()],
        [broken(), broken(), broken(ELSEWHERE)],
        [Failed(outcome=Outcome.DIVERGED, detail="val_loss is nan")] * 5,
    ],
    ids=["only two", "one was complete between", "another place", "configurations, not code"],
)
def test_a_study_that_may_recover_goes_on(worker: Worker, endings: list[Ending]) -> None:
    run(worker, *endings)
    assert len(worker.store.trials("toy")) == len(endings)
