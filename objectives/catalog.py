"""Which objectives there are, what they understand and what they report; torch stays out."""

import gc
import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from objectives.contract import DataSource, Objective, RecipeError
from objectives.data.manifest.summary import DataSummary
from objectives.recipe.backbones import known_backbone
from objectives.recipe.classifier import ClassifierRecipe
from objectives.recipe.fields import declared, nearest
from objectives.recipe.image import ImageRecipe
from objectives.recipe.metadata import Metadata
from objectives.recipe.network import weights_name
from objectives.recipe.optimization import check_warmup_steps
from objectives.recipe.toy import ToyRecipe
from objectives.recipe.volume import VolumeRecipe
from objectives.reported import CLASSIFIER_METRICS, TOY_METRICS

if TYPE_CHECKING:
    from objectives.data.manifest.listed import ListedData
    from objectives.data.manifest.manifest import Manifest
    from objectives.data.problems import Problem


@dataclass(frozen=True)
class ObjectiveFields:
    """What an objective understands and reports, as plain mappings.

    fields: hyperparameter -> {type, low, high, choices, default, unit, source, acts_when, doc}.
    metrics: name -> {direction, low, high, exact, is_loss, ranks, changed_by, doc}; high is None
    when there is no bound; exact says that the same configuration and seed give the same value
    again (a time never does); is_loss, that it shows a divergence (the ruler saturates, these do
    not); ranks, that it says in each epoch how good that is; changed_by names the hyperparameters
    that make it another measure.
    """

    fields: Mapping[str, Mapping[str, Any]]
    metrics: Mapping[str, Mapping[str, Any]]


def describe(objective: str) -> ObjectiveFields:
    """Give every hyperparameter and metric of an objective; RecipeError for an unknown one."""
    entry = _entry(objective)
    return ObjectiveFields(declared(entry.recipe), entry.metrics)


def load(objective: str) -> Objective:
    """Give the function that trains; only now is what it needs (torch) imported.

    What comes with it stays: torch's half a million objects are not looked through again, which
    took a full garbage collection .25 s, now and then between two steps or two trials.
    """
    train = cast(Objective, _named(_entry(objective).train))
    if not gc.get_freeze_count():
        gc.freeze()
    return train


def check(objective: str, config: Mapping[str, Any]) -> None:
    """Raise RecipeError, with the fix, for a configuration that cannot be trained."""
    _entry(objective).recipe.from_config(config)


def network_recipe(objective: str, config: Mapping[str, Any]) -> ImageRecipe | VolumeRecipe:
    """Give the recipe of a configuration that a network is built by.

    Raises RecipeError for one that cannot be trained, and for an objective without a network.
    """
    recipe = _entry(objective).recipe.from_config(config)
    if isinstance(recipe, ToyRecipe):
        raise RecipeError(f"{objective} trains no network; choose another objective")
    return recipe


def load_task(recipe: ImageRecipe | VolumeRecipe) -> Any:
    """Give what is particular to what a recipe trains on, a `Task`; torch is imported."""
    return _named(_entry(recipe.objective).task)(recipe)


def schedule(objective: str, config: Mapping[str, Any]) -> dict[str, int]:
    """Give what a pruner must know of a configuration.

    `epochs`, and `settled_epoch`: the last one of warm-up and unfreezing.
    """
    recipe = _entry(objective).recipe.from_config(config)
    return {name: getattr(recipe, name) for name in ("epochs", "settled_epoch")}


def read_data(
    objective: str,
    source: DataSource,
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
    listed: Callable[[int], None] | None = None,
) -> "Manifest":
    """Give the manifest of the data; DataError when it cannot be used.

    cache: this machine's folder for what was found out about images. progress: called for each
    that is read. listed: told how many there are, where `check_data` will look at them next.
    """
    from objectives.data.manifest.manifest import (  # with numpy, for names alone none
        NOTHING,
        read_manifest,
    )

    has_data = _entry(objective).has_data
    return read_manifest(source, cache, progress, listed) if has_data else NOTHING


def list_data(
    objective: str,
    source: DataSource,
    cache: Path | None = None,
    partition_for: Callable[[Sequence[str]], Path] | None = None,
) -> "ListedData":
    """Return the source with its manifest, so that nothing lists its folder again.

    cache: this machine's folder for what was found out about images.
    partition_for: called with the paths of the images; returns a partition file to split them by.

    Raises DataError when the data cannot be used.
    """
    from objectives.data.manifest import listed  # numpy
    from objectives.data.manifest.manifest import NOTHING

    if not _entry(objective).has_data:
        return listed.with_manifest(source, NOTHING)
    return listed.list_data(source, cache, partition_for)


def check_data(
    objective: str,
    source: DataSource,
    manifest: "Manifest",
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> "list[Problem]":
    """Give what is wrong with the data, errors first, each with the id of its rule.

    cache, progress: as for `read_data`; every image is opened that has not been before.
    """
    from objectives.data.checks.check import check_data as check_rows

    return check_rows(source, manifest, cache, progress) if _entry(objective).has_data else []


def check_fit(objective: str, config: Mapping[str, Any], data: DataSummary) -> None:
    """Raise RecipeError for a configuration that asks more of the data than there is.

    A batch of more images than the training split has, a sample that cannot have every class, a
    warm-up in steps that never ends, a table where the images have none.
    """
    recipe = _entry(objective).recipe.from_config(config)
    if not isinstance(recipe, ClassifierRecipe):
        return
    if isinstance(recipe, Metadata) and recipe.use_metadata and not data.columns:
        raise RecipeError(
            f"{objective}: use_metadata is true and the images have no table beside them; name its "
            "columns in `metadata` of the study's data, or set use_metadata to false"
        )
    images, classes = sum(data.counts["train"].values()), len(data.classes)
    for name in ("max_train_samples", "max_val_samples"):
        if 0 < getattr(recipe, name) < classes:
            raise RecipeError(
                f"{objective}: {name} {getattr(recipe, name)} cannot stand for {classes} classes; "
                f"set {name} to {classes} or more, or to 0 for all images"
            )
    seen = min(images, recipe.max_train_samples or images)
    for name in ("batch_size", "micro_batch"):
        if getattr(recipe, name) > seen:
            raise RecipeError(
                f"{objective}: {name} {getattr(recipe, name)} is more than the {seen} images there "
                f"are to train on; set {name} to {seen} or less"
            )
    check_warmup_steps(recipe, seen)


def preflight(objective: str, configs: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Make sure that every network can be built and fed, fetching weights that are not here yet.

    Returns the file, sha256, licence and parameter count of all weights by "backbone weights".
    Raises RecipeError with the fix. The look is a process of its own, so that the caller stays free
    of torch; what needs none is not looked at.
    """
    recipes = [_entry(objective).recipe.from_config(config) for config in configs]
    built = [each for each in recipes if isinstance(each, ImageRecipe | VolumeRecipe)]
    asked = {json.dumps(_network(each)): each for each in built if not _surely_builds(each)}
    if not asked:
        return {}
    command = [sys.executable, "-P", "-m", "objectives.models.probe"]
    asking = f"[{', '.join(sorted(asked))}]"
    done = subprocess.run(command, input=asking, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise RecipeError(said[-1] if said else _silent(asked.values(), done.returncode))
    records: dict[str, dict[str, str]] = json.loads(done.stdout)
    return records


def weights_key(config: Mapping[str, Any]) -> str:
    """Give the name under which `preflight` returns what a whole configuration starts from."""
    return weights_name(config.get("backbone"), config.get("weights"))


def _network(recipe: ImageRecipe | VolumeRecipe) -> dict[str, Any]:
    """Give what decides whether a network can be built."""
    names = ("backbone", "weights", "stem", "dilated", "image_size", "allow_noncommercial")
    known = {name: getattr(recipe, name) for name in (*names, "compile") if hasattr(recipe, name)}
    return {"objective": recipe.objective, **known}


def _surely_builds(recipe: ImageRecipe | VolumeRecipe) -> bool:
    """Say whether the recipe has checked all there is: no file, no compiler, no code of timm's."""
    if recipe.weights != "none" or recipe.compile:
        return False
    if isinstance(recipe, VolumeRecipe):
        return find_spec("monai") is not None
    return known_backbone(recipe.backbone).library != "timm"


def _silent(recipes: Iterable[ImageRecipe | VolumeRecipe], exit_code: int) -> str:
    names = ", ".join(sorted({recipe.backbone for recipe in recipes}))
    return (
        f"the look for the weights of {names} ended with {exit_code} and no word; "
        "see that memory is free and try again, or set weights to none"
    )


@dataclass(frozen=True)
class _Entry:
    """train: "module:function", imported when called for. task: the class, of what has one."""

    train: str
    recipe: type[ImageRecipe] | type[VolumeRecipe] | type[ToyRecipe]
    metrics: Mapping[str, Mapping[str, Any]]
    task: str = ""
    has_data: bool = True


_ENTRIES = {
    "image_classifier": _Entry(
        "objectives.image_classifier:train",
        ImageRecipe,
        CLASSIFIER_METRICS,
        "objectives.image_classifier:ImageTask",
    ),
    "volume_classifier": _Entry(
        "objectives.volume_classifier:train",
        VolumeRecipe,
        CLASSIFIER_METRICS,
        "objectives.volume_classifier:VolumeTask",
    ),
    "toy_curve": _Entry("objectives.toy_curve:train", ToyRecipe, TOY_METRICS, has_data=False),
}


def _entry(objective: str) -> _Entry:
    if objective not in _ENTRIES:
        raise RecipeError(
            f"there is no objective {objective!r}; did you mean {nearest(objective, _ENTRIES)!r}?"
        )
    return _ENTRIES[objective]


def _named(name: str) -> Any:
    module, function = name.split(":")
    return getattr(importlib.import_module(module), function)
