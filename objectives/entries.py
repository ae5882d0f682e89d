"""The objectives that come with the package, and the questions that the catalog asks of any.

No torch: code that trains is imported by its name when it is asked for.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from objectives.contract import DataSource, Objective, ObjectiveFields, ObjectiveKey, RecipeError
from objectives.own.entry import OwnCode
from objectives.recipe.fields import declared, nearest
from objectives.recipe.image import ImageRecipe
from objectives.recipe.toy import ToyRecipe
from objectives.recipe.volume import VolumeRecipe
from objectives.reported import CLASSIFIER_METRICS, TOY_METRICS

Recipe = ImageRecipe | VolumeRecipe | ToyRecipe


class Entry(Protocol):
    """An objective of any origin."""

    @property
    def described(self) -> ObjectiveFields:
        """Its hyperparameters and metrics."""

    def load(self, folder: Path | None) -> Objective:
        """Import the function that trains; `folder` has the author's own code on this machine."""

    def check(self, config: Mapping[str, Any]) -> None:
        """Raise RecipeError for a configuration that cannot be trained."""

    def schedule(self, config: Mapping[str, Any]) -> dict[str, int]:
        """Return the length of a configuration's schedule and of its beginning."""

    def reads(self, source: DataSource) -> bool:
        """Say whether it reads these data."""


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """An objective of the package; `train` and `task` are "module:name".

    task: the class that implements `Task`; empty for an objective without a network.
    """

    train: str
    recipe: type[ImageRecipe] | type[VolumeRecipe] | type[ToyRecipe]
    metrics: Mapping[str, Mapping[str, Any]]
    task: str = ""
    has_data: bool = True

    @property
    def described(self) -> ObjectiveFields:
        """Its hyperparameters and metrics."""
        return ObjectiveFields(declared(self.recipe), self.metrics)

    def load(self, folder: Path | None) -> Objective:
        """Import torch and the function that trains."""
        return cast(Objective, named(self.train))

    def check(self, config: Mapping[str, Any]) -> None:
        """Raise RecipeError for a configuration that cannot be trained."""
        self.recipe.from_config(config)

    def schedule(self, config: Mapping[str, Any]) -> dict[str, int]:
        """Return the length of a configuration's schedule and of its beginning."""
        recipe = self.recipe.from_config(config)
        return {name: getattr(recipe, name) for name in ("epochs", "settled_epoch")}

    def reads(self, source: DataSource) -> bool:
        """Say whether it reads data at all."""
        return self.has_data


SHIPPED = {
    "image_classifier": Shipped(
        train="objectives.image_classifier:train",
        recipe=ImageRecipe,
        metrics=CLASSIFIER_METRICS,
        task="objectives.image_classifier:ImageTask",
    ),
    "volume_classifier": Shipped(
        train="objectives.volume_classifier:train",
        recipe=VolumeRecipe,
        metrics=CLASSIFIER_METRICS,
        task="objectives.volume_classifier:VolumeTask",
    ),
    "toy_curve": Shipped(
        train="objectives.toy_curve:train",
        recipe=ToyRecipe,
        metrics=TOY_METRICS,
        has_data=False,
    ),
}


def entry_of(objective: ObjectiveKey) -> Entry:
    """Return the entry of an objective; RecipeError for an unknown name."""
    return shipped(objective) if isinstance(objective, str) else OwnCode(objective)


def shipped(name: str) -> Shipped:
    """Return the entry of an objective that comes with the package; RecipeError for another."""
    if name not in SHIPPED:
        fix = f"did you mean {nearest(name, SHIPPED)!r}?"
        if name.endswith(".py"):
            fix = f'name the function in it, "{name}:train", or write Script("python {name}")'
        raise RecipeError(f"there is no objective {name!r}", fix)
    return SHIPPED[name]


def recipe_of(objective: ObjectiveKey, config: Mapping[str, Any]) -> Recipe | None:
    """Return the recipe of a configuration; None for an author's own code.

    Raises RecipeError for a configuration that cannot be trained.
    """
    if not isinstance(objective, str):
        return None
    recipe: Recipe = shipped(objective).recipe.from_config(config)
    return recipe


def named(name: str) -> Any:
    """Import the thing that "module:name" names."""
    module, function = name.split(":")
    return getattr(importlib.import_module(module), function)
