"""The recipe of the image classifier."""

from dataclasses import dataclass
from typing import ClassVar

from objectives.recipe.balancing import check_balancing
from objectives.recipe.classifier import ClassifierRecipe
from objectives.recipe.metadata import Metadata
from objectives.recipe.network import Network, check_network
from objectives.recipe.optimization import check_optimization


@dataclass(frozen=True, kw_only=True)
class ImageRecipe(ClassifierRecipe, Metadata, Network):
    """How to train one image classifier. A range holds every accepted value, sensible or not."""

    objective: ClassVar[str] = "image_classifier"

    def __post_init__(self) -> None:
        check_network(self)
        check_balancing(self)
        check_optimization(self)
