"""The best value so far and the trials around it, from a real database."""

import math

import numpy as np

from dashboards.analysis.snapshot import read_snapshot
from dashboards.analysis.trials.history import (
    MOST_STEPS,
    Dot,
    HistoryReader,
    best_steps,
)
from storage.rows import Outcome, TrialEnd
from storage.store import Store
from tests.dashboards.analysis.toy_trials import end_trial, make_study
from tests.storage.samples import ended, finished, stock_study


def test_the_history_tells_how_each_trial_ended_and_which_was_the_best_so_far(
    store: Store,
) -> None:
    make_study(store)
    ends: list[TrialEnd] = [
        finished(0.5),
        ended("PRUNED", "pruned"),
        ended("PRUNED", "diverged"),
        ended("FAIL", "code_error"),
        finished(0.7),
        finished(0.3),
        finished(math.inf),
    ]
    for end in ends:
        end_trial(store, end, curve=(0.9, 0.8))

    history = HistoryReader().read(store, read_snapshot(store, "toy"))

    assert [(step.number, step.value) for step in history.steps] == [(0, 0.5), (5, 0.3)]
    assert history.steps[1].at == store.trials("toy")[5].ended_at
    assert list(history.dots) == [
        Dot(0, Outcome.FINISHED, 0.5),
        Dot(1, Outcome.PRUNED, 0.8),
        Dot(2, Outcome.DIVERGED, None),
        Dot(3, Outcome.CODE_ERROR, None),
        Dot(4, Outcome.FINISHED, 0.7),
        Dot(5, Outcome.FINISHED, 0.3),
    ]


def test_a_study_that_grows_is_read_again_only_when_a_trial_has_ended(store: Store) -> None:
    make_study(store)
    end_trial(store, finished(0.5))
    reader = HistoryReader()
    snapshot = read_snapshot(store, "toy")
    first = reader.read(store, snapshot)

    assert reader.read(store, read_snapshot(store, "toy", snapshot)) is first

    end_trial(store, finished(0.4))
    end_trial(store, ended("PRUNED", "pruned"), curve=(0.9, 0.8))
    end_trial(store, ended("PRUNED", "diverged"), curve=(0.9,))
    grown = reader.read(store, read_snapshot(store, "toy", snapshot))

    assert [step.value for step in grown.steps] == [0.5, 0.4]
    assert grown == HistoryReader().read(store, read_snapshot(store, "toy"))


def test_a_trial_that_another_program_ended_is_neither_a_step_nor_a_dot(
    store: Store,
) -> None:
    make_study(store)
    end_trial(store, finished(0.5))
    study = stock_study(store)
    study.tell(study.ask(), 0.0)
    pruned = study.ask()
    pruned.report(0.6, step=1)
    study.tell(pruned, state=type(pruned.study.trials[0].state).PRUNED)

    history = HistoryReader().read(store, read_snapshot(store, "toy"))

    assert [step.number for step in history.steps] == [0]
    assert list(history.dots) == [Dot(0, Outcome.FINISHED, 0.5)]


def test_a_maximized_study_climbs() -> None:
    values = np.array([math.nan, 0.5, 0.4, 0.5, 0.8, math.nan, 0.7])

    assert [step.number for step in best_steps(values, minimizes=False)] == [1, 4]
    assert [step.number for step in best_steps(values, minimizes=True)] == [1, 2]


def test_the_steps_are_bounded() -> None:
    falling = np.arange(10_000, 0, -1.0)
    steps = best_steps(falling, minimizes=True)

    assert len(steps) == MOST_STEPS
    assert (steps[0].number, steps[1].number, steps[-1].number) == (0, 9_901, 9_999)
