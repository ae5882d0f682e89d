"""The rows of a study at one moment, and what another program leaves in them."""

from pathlib import Path

import optuna

from dashboards.analysis.snapshot import read_snapshot
from storage.store import Store
from tests.search.toy_worker import attempt, make_worker
from tests.storage.samples import stock_study


def test_a_trial_that_another_program_added_is_never_the_winner(
    store: Store, tmp_path: Path
) -> None:
    attempt(make_worker(store, tmp_path))
    study = stock_study(store)
    study.add_trial(optuna.create_trial(value=0.0))

    snapshot = read_snapshot(store, "toy")

    assert store.trials("toy")[1].value == 0.0
    assert [trial.number for trial in snapshot.look.ranking] == store.best("toy", 9) == [0]
    assert snapshot.outcomes == {"finished": 1, "ended_elsewhere": 1}


def test_a_study_that_was_deleted_and_made_again_is_read_anew(store: Store, tmp_path: Path) -> None:
    attempt(make_worker(store, tmp_path))
    before = read_snapshot(store, "toy")
    store.delete("toy")
    make_worker(store, tmp_path)

    now = read_snapshot(store, "toy", before)

    assert (before.ended, before.total) == (1, 1)
    assert (now.ended, now.total, now.look.waiting) == (0, 1, {0})
