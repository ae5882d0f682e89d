"""What every classifier is trained by, whatever it classifies."""

from dataclasses import dataclass

from objectives.recipe.balancing import Balancing
from objectives.recipe.computing import Computing
from objectives.recipe.head import Head
from objectives.recipe.optimization import Optimization


@dataclass(frozen=True)
class ClassifierRecipe(Computing, Optimization, Balancing, Head):
    """Head, loss, optimization and computing; the backbone and its inputs come beside it."""
