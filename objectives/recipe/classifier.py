"""The hyperparameters that every classifier has, of images or of volumes."""

from dataclasses import dataclass

from objectives.recipe.balancing import Balancing
from objectives.recipe.computing import Computing
from objectives.recipe.head import Head
from objectives.recipe.optimization import Optimization


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe(Computing, Optimization, Balancing, Head):
    """Head, loss, optimization and computing; a subclass adds the backbone and its inputs."""
