"""The contract of a model: it draws a configuration by the evidence of the other trials."""

from collections.abc import Mapping
from typing import Any, Protocol

from search.samplers.beliefs import Beliefs
from search.samplers.observed import Observed
from search.samplers.searched import Configuration, Searched


class Model(Protocol):
    """Draws the configurations of one trial, each from the stream of random numbers of its seed."""

    def draw(self, given: Mapping[str, Any]) -> Configuration:
        """Draw a whole configuration that has the values `given` where these parameters exist."""
        ...


class ModelClass(Protocol):
    """The way in which a model is made.

    name: as a draw's `why` has it.
    """

    name: str

    def __call__(
        self,
        observed: Observed,
        searched: Searched,
        *,
        number: int,
        seed: int,
        beliefs: Beliefs | None = None,
        weight: float = 0.0,
    ) -> Model:
        """Prepare the draw of trial `number`.

        searched: the declared parameters.
        beliefs: those that the model may trust; None for a draw from the trials alone.
        weight: how much the log of a belief's density counts beside the log of what the model
            finds a configuration worth; it falls with every trial that ends.
        """
        ...
