"""The trial that is exported, and how little of its study is read for it."""

from pathlib import Path

import pytest

from dashboards.analysis.frame import NEWEST, read_frame
from search.exports.trial import export_trial
from search.terminal.summary import summary
from search.worker.worker import Worker
from spaces.errors import StudyError
from storage.store import Store
from tests.search.many_trials import copy_first_trial, rows_sent
from tests.search.toy_worker import attempt, make_worker

MANY = 300


@pytest.fixture
def worker(store: Store, tmp_path: Path) -> Worker:
    """A study of many ended trials, of which the first one is the best."""
    worker = make_worker(store, tmp_path, trials=1000)
    attempt(worker)
    copy_first_trial(store, MANY - 1)
    return worker


@pytest.mark.parametrize("wanted", ["best", "0", "299"])
def test_an_export_reads_its_own_trial_however_many_there_are(worker: Worker, wanted: str) -> None:
    with rows_sent(worker.store) as sent:
        exported = export_trial(worker.store, "toy", wanted)

    assert exported.trial == (0 if wanted == "best" else int(wanted))
    assert sum(sent) < 40  # five epochs, an attempt, and the settings of each transaction


def test_the_end_of_a_run_reads_the_trials_that_it_shows(worker: Worker) -> None:
    with rows_sent(worker.store) as sent:
        lines = list(summary(read_frame(worker.store, "toy"), workers=1))

    assert f"{MANY}/1000 trials · {MANY} finished" in lines
    assert sum(sent) < 10 * NEWEST  # with the 20 best ones, and five epochs of each that is shown


@pytest.mark.parametrize("wanted", ["300", "99999999999999999999", "-1", "last", ""])
def test_a_trial_that_is_not_there_is_refused_with_the_numbers_that_are(
    worker: Worker, wanted: str
) -> None:
    with pytest.raises(StudyError) as refused:
        export_trial(worker.store, "toy", wanted)

    assert refused.value.found == f"'toy' has no trial {wanted!r}"
    assert refused.value.fix == "use `best` or 0..299"
