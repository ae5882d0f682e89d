"""The searched parameters of a study as samplers need them: Optuna's distributions, conditions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from dashboards.analysis.distributions import distributions
from spaces.space import Space

Configuration = dict[str, Any]
ValueOf = Callable[[str, BaseDistribution], Any]


@dataclass(frozen=True)
class Searched:
    """The searched parameters.

    distributions: by name, in drawing order.
    conditions: name -> the values that parameters before it must have for it to exist.
    """

    distributions: Mapping[str, BaseDistribution]
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, space: Space) -> Self:
        """Return the parameters of a study's space."""
        conditions = {param.name: param.when for param in space if param.when}
        return cls(distributions(space), conditions)

    @property
    def open(self) -> Mapping[str, BaseDistribution]:
        """The parameters that have more than one value, sorted by name, as Optuna's TPE does."""
        several = {name: each for name, each in self.distributions.items() if not each.single()}
        return dict(sorted(several.items()))

    def exists(self, name: str, drawn: Mapping[str, Any]) -> bool:
        """Say whether a parameter exists beside the values of those before it."""
        return all(
            other in drawn and drawn[other] == value
            for other, value in self.conditions.get(name, {}).items()
        )

    def whole(self, known: Mapping[str, Any], value_of: ValueOf) -> Configuration:
        """Return the configuration that has the known values of the parameters that exist there.

        value_of: called for the value of every other one, in drawing order; not for a parameter
            that has one value only.
        """
        drawn: Configuration = {}
        for name, distribution in self.distributions.items():
            if not self.exists(name, drawn):
                continue
            if name in known:
                drawn[name] = known[name]
            else:
                is_single = distribution.single()
                drawn[name] = _only(distribution) if is_single else value_of(name, distribution)
        return drawn


def _only(distribution: BaseDistribution) -> Any:
    """Return the value of a distribution that has one only."""
    if isinstance(distribution, FloatDistribution | IntDistribution):
        return distribution.low
    assert isinstance(distribution, CategoricalDistribution)
    return distribution.choices[0]
