"""A study with trials that ended in every way, with odd numbers, and its arrays spelled out."""

import math
from collections.abc import Callable

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from storage.engine.arrays import StudyArrays
from storage.rows import Outcome, TrialEnd
from storage.store import Claim, Store
from tests.storage.samples import ended, finished

Claiming = Callable[..., Claim]
Sql = Callable[..., list[tuple[object, ...]]]
SPACE = {
    "kind": CategoricalDistribution(("a", "b", None, True)),
    "rate": FloatDistribution(1e-300, 1e300, log=True),
    "depth": IntDistribution(1, 64, log=True),
    "only_a": FloatDistribution(-1, 1, step=0.25),
}
CURVES = ((0.5, math.nan, math.inf, 5e-324), (math.nan, 0.75), (-math.inf,), (1e300, 0.5), ())


def draw(trial: optuna.Trial) -> None:
    """Draw a space with a condition, a whole number, a log scale and options of several types."""
    kind = trial.suggest_categorical("kind", ["a", "b", None, True])
    trial.suggest_float("rate", 1e-300, 1e300, log=True)
    trial.suggest_int("depth", 1, 64, log=True)
    if kind == "a":
        trial.suggest_float("only_a", -1, 1, step=0.25)


def take(store: Store, held: Claim, end: TrialEnd | None, *curve: float) -> None:
    """Draw a claimed trial, record its curve, and end it."""
    with store.trial(held, lambda _: RandomSampler(held.number)) as trial:
        draw(trial)
    for epoch, value in enumerate(curve, start=1):
        store.record(held, epoch, {"loss": value}, value, seconds=1.0, images=10)
    if end is not None:
        store.tell(held, end)


def fill(store: Store, claim: Claiming, trials: int) -> None:
    """End trials in every way, with odd numbers."""
    store.update_definition("toy", {}, trials=None)
    ends = [
        finished(0.1 + 0.2),
        finished(-math.inf),
        ended("PRUNED", "pruned"),
        ended("FAIL", "code_error"),
        TrialEnd(state="PRUNED", value=None, outcome=Outcome.OUT_OF_MEMORY),
        finished(math.inf),
    ]
    for number in range(trials):
        take(store, claim(), ends[number % len(ends)], *CURVES[number % len(CURVES)])


def in_arrays(arrays: StudyArrays) -> list[dict[str, str]]:
    """Spell what the arrays know of each trial, since NaN is equal to nothing."""
    drawn = {name: arrays.column(name, each) for name, each in SPACE.items()}
    return [
        {
            "state": TrialState(arrays.states[number]).name,
            "value": f"{arrays.values[number]}",
            "last": f"{arrays.last_steps[number]}: {arrays.last_values[number]}",
            "violation": f"{arrays.violations[number]}",
            "drawn": f"{[float(column[number]) for column in drawn.values()]}",
        }
        for number in range(arrays.count)
    ]
