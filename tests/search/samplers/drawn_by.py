"""An Optuna sampler around anything that draws a whole configuration."""

from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

from search.samplers.model import Model
from search.samplers.searched import Searched


class DrawnBy(BaseSampler):
    """Draws what a model draws."""

    def __init__(self, model: Model, searched: Searched) -> None:
        self._model, self._searched = model, searched

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the parameters with several values."""
        return dict(self._searched.open)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw a configuration."""
        return self._model.draw({})

    def sample_independent(self, *_: Any) -> Any:
        """Fail: everything is drawn jointly."""
        raise AssertionError
