"""The parameters of a space as Optuna declares them."""

from collections.abc import Mapping

from optuna.distributions import BaseDistribution
from optuna.trial import FixedTrial

from spaces.space import Space


def distributions(space: Space) -> Mapping[str, BaseDistribution]:
    """Return the distribution of each parameter, in the order of the space.

    These are the distributions with which Optuna stores the values that a trial draws.
    """
    asked = FixedTrial({param.name: param.mode() for param in space})
    for param in space:
        param.suggest(asked)
    return asked.distributions
