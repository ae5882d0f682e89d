"""The newest pruned and failed trials, from a real database."""

import optuna
from optuna.trial import TrialState

from dashboards.analysis.snapshot import read_snapshot
from dashboards.analysis.trials.latest import MOST, LatestReader
from storage.store import Store
from tests.dashboards.analysis.toy_trials import end_trial, make_study
from tests.storage.samples import ended, finished, stock_study


def test_pruned_and_failed_trials_come_newest_first_and_new_ones_are_added(store: Store) -> None:
    make_study(store)
    end_trial(store, finished(0.5))
    end_trial(store, ended("PRUNED", "pruned"))
    end_trial(store, ended("PRUNED", "diverged", "val_loss is nan"))
    end_trial(store, ended("FAIL", "code_error", "ValueError"))
    stock_study(store).add_trial(optuna.create_trial(state=TrialState.FAIL))
    reader, snapshot = LatestReader(), read_snapshot(store, "toy")

    first = reader.read(store, snapshot)
    end_trial(store, ended("PRUNED", "pruned"))
    end_trial(store, ended("PRUNED", "out_of_memory"))
    later = reader.read(store, read_snapshot(store, "toy", snapshot))

    assert [row.number for row in first.pruned] == [1]
    assert [row.number for row in first.failed] == [4, 3, 2]
    assert first.failed[2].detail == "val_loss is nan"
    assert [row.number for row in later.pruned] == [5, 1]
    assert [row.number for row in later.failed] == [6, 4, 3, 2]


def test_only_the_newest_are_kept(store: Store) -> None:
    make_study(store)
    for _ in range(MOST + 2):
        end_trial(store, ended("FAIL", "code_error"))
    reader, snapshot = LatestReader(), read_snapshot(store, "toy")
    reader.read(store, snapshot)
    end_trial(store, ended("FAIL", "code_error"))

    found = reader.read(store, read_snapshot(store, "toy", snapshot))

    assert [row.number for row in found.failed] == list(range(MOST + 2, 2, -1))
