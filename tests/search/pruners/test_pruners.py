"""When a trial is stopped: against whom it is measured, and when it is left alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from optuna.study import StudyDirection

from dashboards.analysis.curves.completed import CompletedCurves
from search.pruners.curve import Curve
from search.pruners.folds import has_worse_folds
from search.pruners.median import why_below_median
from search.pruners.others import Others
from search.pruners.pruner import PRUNERS, Pruner
from spaces.judged import first_judged_epoch, startup_trials
from spaces.params import Float
from spaces.pruning import PRUNING_RULES
from spaces.study import Pruning, Study
from storage.engine.curves import Curves


def study(**changes: Any) -> Study:
    declared: dict[str, Any] = {
        "name": "small",
        "objective": "toy_curve",
        "metric": "val_loss",
        "direction": "minimize",
        "space": [Float("learning_rate", 1e-4, 1.0)],
        "trials": 12,
    }
    return Study(**declared | changes)


def curve(*values: float, epochs: int = 8, settled_epoch: int = 0) -> Curve:
    numbered = dict(enumerate(values, start=1))
    return Curve(values=numbered, epochs=epochs, settled_epoch=settled_epoch)


def completed(*curves: Curve, direction: str = "minimize") -> Callable[[], CompletedCurves]:
    arrays = Curves(StudyDirection[direction.upper()])
    for number, each in enumerate(curves):
        epochs = np.array([*each.values], dtype=np.int64)
        arrays.add(np.full_like(epochs, number), epochs, np.array([*each.values.values()]))
    found = CompletedCurves(arrays, np.array([each.epochs for each in curves]))
    return lambda: found


def never() -> CompletedCurves:
    raise AssertionError("nothing needs to be read at an epoch that is not judged")


def is_hopeless(study: Study, curve: Curve, completed: Callable[[], CompletedCurves]) -> bool:
    asked = Others(completed=completed, note=lambda _: None)
    return why_below_median(study, curve, asked) is not None


FALLING = curve(*(1.0 - 0.1 * epoch for epoch in range(8)))
GOOD = completed(*[FALLING] * 3)


def test_a_trial_below_the_median_is_told_its_value_and_the_median() -> None:
    asked = Others(completed=GOOD, note=lambda _: None)
    assert why_below_median(study(), curve(2.0, 1.9, 1.8), asked) == (
        "epoch 3 of 8: 1.8 is worse than 0.8, the median of 3 completed trials at this share of"
        " their schedules"
    )


def test_a_trial_worse_than_the_median_at_its_share_of_the_way_is_stopped() -> None:
    assert is_hopeless(study(), curve(2.0, 1.9, 1.8), GOOD)
    assert not is_hopeless(study(), curve(0.9, 0.8, 0.7), GOOD)


def test_what_is_maximized_is_stopped_when_it_is_lower() -> None:
    accuracy = curve(0.5, 0.6, 0.7, 0.8, 0.9, 0.9, 0.9, 0.9)
    accuracies = completed(*[accuracy] * 3, direction="maximize")
    rising = study(metric="val_top1", direction="maximize")

    assert is_hopeless(rising, curve(0.1, 0.2, 0.3), accuracies)
    assert not is_hopeless(rising, curve(0.6, 0.7, 0.8), accuracies)


def test_schedules_of_different_length_are_compared_at_equal_shares() -> None:
    # Half of a long schedule against half of short ones, which were at 1.0 by then, not at .2.
    short = completed(*[curve(2.0, 1.0, 0.5, 0.2, epochs=4)] * 3)
    half_way = [2.0] * 9 + [0.9]

    assert not is_hopeless(study(), curve(*half_way, epochs=20), short)
    assert is_hopeless(study(), curve(*half_way, 0.9, 0.9, 0.9, 0.9, 0.9, epochs=20), short)


def test_nobody_is_stopped_before_enough_trials_have_completed() -> None:
    assert not is_hopeless(study(), curve(9.0, 9.0, 9.0), completed(FALLING, FALLING))


@pytest.mark.parametrize(("trials", "startup"), [(4, 3), (12, 3), (20, 5), (40, 8), (400, 8)])
def test_start_up_grows_with_the_budget(trials: int, startup: int) -> None:
    assert startup_trials(study(trials=trials)) == startup


@pytest.mark.parametrize(
    ("epochs", "settled_epoch", "first"), [(3, 0, 2), (8, 1, 2), (20, 1, 5), (8, 4, 5)]
)
def test_the_first_judged_epoch_is_past_warmup_and_a_quarter(
    epochs: int, settled_epoch: int, first: int
) -> None:
    assert first_judged_epoch(study(), epochs, settled_epoch) == first


def test_epoch_one_is_never_judged_and_the_last_one_neither() -> None:
    assert not is_hopeless(study(), curve(9.0), never)
    assert not is_hopeless(study(), curve(*[9.0] * 8), never)


def test_every_rule_decides_where_its_words_say_that_it_does() -> None:
    assert PRUNERS.keys() == PRUNING_RULES.keys()
    for name, words in PRUNING_RULES.items():
        assert bool(words.between_epochs) == (PRUNERS[name].between_epochs is not None)
        assert bool(words.between_folds) == (PRUNERS[name].between_folds is not None)


def test_a_study_without_pruning_stops_no_trial() -> None:
    assert PRUNERS["none"] == Pruner()


def test_a_nan_among_the_completed_ones_does_not_hide_the_rest() -> None:
    diverged = curve(*[float("nan")] * 8)
    assert is_hopeless(study(), curve(9.0, 9.0, 9.0), completed(*[FALLING] * 3, diverged))


# Differences of mean m and standard deviation 1; a table has t = 1.886 for p = .1, 2 degrees.
@pytest.mark.parametrize(
    ("folds", "bound"),
    [(5, 1.886 * (1 / 3 + 1 / 4) ** 0.5), (10, 1.886 * (1 / 3 + 1 / 9) ** 0.5)],
)
@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_folds_are_worse_from_the_bound_of_the_corrected_test_on(
    folds: int, bound: float, direction: str
) -> None:
    best, sign = {1: 5.0, 2: 7.0, 3: 9.0, 4: 6.0}, 1 if direction == "minimize" else -1

    def is_worse(mean: float) -> bool:
        losses = {1: mean - 1, 2: mean, 3: mean + 1}
        seen = {fold: best[fold] + sign * loss for fold, loss in losses.items()}
        return has_worse_folds(study(folds=folds, direction=direction), seen, best)

    assert not is_worse(bound - 0.01)
    assert is_worse(bound + 0.01)
    assert not is_worse(-10.0)  # far better


def test_folds_that_are_the_same_are_not_worse_and_two_are_not_judged() -> None:
    best = {1: 0.5, 2: 0.6, 3: 0.7}
    assert not has_worse_folds(study(folds=5), best, best)
    assert not has_worse_folds(study(folds=5), {1: 9.0, 2: 9.1}, best)
    assert not has_worse_folds(study(folds=5), {1: 9.0, 2: 9.0, 3: 9.0}, {})


def test_with_folds_one_completed_trial_is_enough() -> None:
    assert startup_trials(study(folds=5)) == 1
    assert startup_trials(study(folds=5, pruning=Pruning(startup_trials=4))) == 4
