"""The configurations that other trials have, whatever became of these, and those that none has."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState

from search.samplers.observed import Floats, Observed
from search.samplers.searched import Configuration, Searched

MISSING = math.inf  # in a row, for a parameter that the configuration lacks
ANY = object()  # in a configuration, for a real number: whichever it is, no other trial has it
UNDRAWN = (TrialState.WAITING, TrialState.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """The configurations of all trials of a study but trial `number`.

    queued: those of the queue with which the study began, the first one for trial 0. Each counts
        while its trial has no values yet.
    """

    searched: Searched
    observed: Observed
    number: int
    queued: Sequence[Mapping[str, Any]] = ()

    def has(self, configuration: Mapping[str, Any]) -> bool:
        """Say whether one of them has exactly these values."""
        return bool((self._rows == self._row(configuration)).all(axis=1).any())

    def has_all(self, given: Mapping[str, Any]) -> bool:
        """Say whether these are all configurations that have the values `given`."""
        return next(self.others(given), None) is None

    def others(self, given: Mapping[str, Any]) -> Iterator[Configuration]:
        """Yield the configurations that no trial has, with the values `given` where these exist.

        Real numbers are left out of each.
        """
        tried = {tuple(row) for row in self._rows.tolist()}
        for configuration in _every(self.searched, given):
            known = {name: value for name, value in configuration.items() if value is not ANY}
            if len(known) < len(configuration) or tuple(self._row(known)) not in tried:
                yield known

    @cached_property
    def _rows(self) -> Floats:
        """The values of each configuration, as Optuna stores them: (configurations, parameters)."""
        count, columns = self.observed.count, self.searched.open.items()
        drawn = np.array([self.observed.column(*each) for each in columns])
        rows = np.where(np.isnan(drawn), MISSING, drawn).reshape(len(columns), count).T
        is_undrawn = (rows == MISSING).all(axis=1) & np.isin(self.observed.states, UNDRAWN)
        for number, values in enumerate(self.queued[:count]):
            if is_undrawn[number]:
                rows[number] = self._row(values)
        return np.delete(rows, slice(self.number, self.number + 1), axis=0)

    def _row(self, configuration: Mapping[str, Any]) -> list[float]:
        return [
            distribution.to_internal_repr(configuration[name]) if name in configuration else MISSING
            for name, distribution in self.searched.open.items()
        ]


def _every(searched: Searched, given: Mapping[str, Any]) -> Iterator[Configuration]:
    """Yield the configurations that have the values `given` where these exist, ANY for reals."""

    def beside(drawn: Configuration, names: Sequence[str]) -> Iterator[Configuration]:
        if not names:
            yield drawn
        elif not searched.exists(names[0], drawn):
            yield from beside(drawn, names[1:])
        else:
            name = names[0]
            values = (given[name],) if name in given else _values(searched.distributions[name])
            for value in values:
                yield from beside({**drawn, name: value}, names[1:])

    return beside({}, tuple(searched.distributions))


def _values(distribution: BaseDistribution) -> Iterable[Any]:
    match distribution:
        case CategoricalDistribution():
            return distribution.choices
        case IntDistribution():
            return range(distribution.low, distribution.high + 1, distribution.step)
        case FloatDistribution() if distribution.single():
            return (distribution.low,)
    return (ANY,)
