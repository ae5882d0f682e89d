"""The table of real results as a landscape, and its curves for pruning rules."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Protocol

import numpy as np
import pandas as pd

from benchmarks.search_quality.curves import FAMILIES, Trial
from benchmarks.search_quality.landscape import Landscape, position, without_prior
from benchmarks.search_quality.landscapes import LANDSCAPES
from objectives.contract import RULER
from search.samplers.observed import Floats
from spaces.params import Choice, Toggle, Value
from spaces.shipped.digits import study
from spaces.space import Space, TrialConfig

TABLE = Path(__file__).with_name("digits.parquet")
PLAIN = Space(tuple(without_prior(each) for each in study.space))
# A configuration that is not in the table has the loss of its neighbour: the nearest one in
# learning rate and epochs, as shares of their ranges, among those with the same options. Another
# batch size is as far as half a range, another backbone or balancing as far as two.
DISTANCE: Mapping[str, float] = {"batch_size": 0.5, "backbone": 2.0, "ldam": 2.0}


@cache
def rows() -> pd.DataFrame:
    """Read the table: a row per epoch of a configuration."""
    return pd.read_parquet(TABLE)


def digits(_: int) -> Landscape:
    """Five parameters of the digits study, and the losses of trained networks."""
    ends = (
        rows()
        .groupby("number", as_index=False)
        .agg({RULER: "min"} | dict.fromkeys(PLAIN.names, "first"))
    )
    configs: list[TrialConfig] = [
        {name: _plain(value) for name, value in row.items()}
        for row in ends[list(PLAIN.names)].to_dict("records")
    ]
    losses, places = ends[RULER].tolist(), np.array([_place(each) for each in configs])

    def loss(config: Mapping[str, Value]) -> float:
        distances = np.abs(places - _place(config)) ** 2
        return float(losses[int(np.argmin(distances.sum(axis=1)))])

    best = configs[int(np.argmin(losses))]
    return Landscape(name="digits", space=PLAIN, best=best, true_loss=loss)


class Curves(Protocol):
    """A family of learning curves."""

    @property
    def longest(self) -> int: ...
    def draw(self, random: Random) -> Trial: ...


class RealCurves:
    """The curves of the table, as a family for pruning rules."""

    @property
    def longest(self) -> int:
        """The length of the longest schedule."""
        return int(rows()["epochs"].max())

    def draw(self, random: Random) -> Trial:
        """Choose a configuration, each as often as any other."""
        return random.choice(_trials())


@cache
def _trials() -> list[Trial]:
    groups = rows().sort_values("epoch").groupby("number")
    return [
        Trial(
            values=tuple(group[RULER].tolist()),
            truth=float(group[RULER].min()),
            kin="ldam" if group["ldam"].all() else "",
        )
        for _, group in groups
    ]


CURVES: Mapping[str, Curves] = {**FAMILIES, "digits": RealCurves()}
ALL: Mapping[str, Callable[[int], Landscape]] = {**LANDSCAPES, "digits": digits}


def _place(config: Mapping[str, Value]) -> Floats:
    """Return a configuration as a point; the options of a choice are all equally far."""
    point: list[float] = []
    for param in PLAIN:
        if isinstance(param, Choice | Toggle):
            options = param.choices if isinstance(param, Choice) else (False, True)
            away = DISTANCE[param.name] / np.sqrt(2)
            point += [away * (config[param.name] == option) for option in options]
        else:
            point.append(position(param, config[param.name]))
    return np.array(point)


def _plain(value: object) -> Value:
    """Return numpy's numbers as Python's."""
    plain: Value = value.item() if isinstance(value, np.generic) else value
    return plain
