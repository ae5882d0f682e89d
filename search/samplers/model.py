"""The contract of a model: it draws a configuration by the evidence of the other trials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from search.samplers.beliefs import Beliefs
from search.samplers.observed import Observed
from search.samplers.searched import Configuration, Searched


class ModelFailed(Exception):
    """A model that cannot draw from the trials as they are; the text says why."""


@dataclass(frozen=True, kw_only=True)
class DrawRequest:
    """The draw that a model is asked for.

    searched: the declared parameters.
    number: of the trial that is drawn.
    seed: of the stream of random numbers.
    beliefs: those that the model may trust; empty for a draw from the trials alone.
    weight: how much the log of a belief's density counts beside the log of what the model finds a
        configuration worth; it falls with every trial that ends.
    """

    observed: Observed
    searched: Searched
    number: int
    seed: int
    beliefs: Beliefs = field(default_factory=dict)
    weight: float = 0.0


class Model(Protocol):
    """Draws the configurations of one trial, each from the stream of random numbers of its seed."""

    def draw(self, given: Mapping[str, Any]) -> Configuration:
        """Draw a whole configuration that has the values `given` where these parameters exist.

        Raises ModelFailed.
        """
        ...


class ModelClass(Protocol):
    """The way in which a model is made.

    name: as a draw's `why` has it.
    """

    name: str

    def __call__(self, request: DrawRequest) -> Model: ...
