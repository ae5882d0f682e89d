"""Answers to questions about any objective, shipped or the author's own, without torch.

The module stands beside `objectives.sets`. It reaches the rooms above it, and all that loads torch
or numpy, only by names that are imported when a function is called.
"""

import gc
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from objectives.contract import DataSource, Objective, ObjectiveFields, ObjectiveKey, RecipeError
from objectives.data.layouts.patterns import check_patterns
from objectives.data.manifest.summary import DataSummary
from objectives.entries import entry_of, named, recipe_of, shipped
from objectives.own.entry import OwnCode
from objectives.probes.ask import ask
from objectives.recipe import fit
from objectives.recipe.backbones import known_backbone
from objectives.recipe.classifier import ClassifierRecipe
from objectives.recipe.image import ImageRecipe
from objectives.recipe.network import weights_name
from objectives.recipe.toy import ToyRecipe
from objectives.recipe.volume import VolumeRecipe

if TYPE_CHECKING:
    from objectives.data.manifest.listed import ListedData
    from objectives.data.manifest.manifest import Manifest
    from objectives.data.problems import Problem

# The hyperparameters that decide whether a network can be built.
_BUILT_BY = (
    "backbone",
    "weights",
    "stem",
    "dilated",
    "image_size",
    "allow_noncommercial",
    "compile",
)
# Those that decide whether one image at a time may pass through it.
_SINGLE_PARTS = ("micro_batch", "trained_stages")


def describe(objective: ObjectiveKey) -> ObjectiveFields:
    """Return every hyperparameter and metric of an objective; RecipeError for an unknown one."""
    return entry_of(objective).described


def read_code(own: Mapping[str, Any], folder: Path, cache: Path | None = None) -> Mapping[str, Any]:
    """Return the description of an author's own code, by which every other question is answered.

    own: the declaration, `{"kind": "generator", "reference": "train.py:train"}`.
    folder: of the study file.
    cache: this machine's folder for code that was read before.
    Raises RecipeError, with the place, for code that cannot be used.
    """
    from objectives.own.describe import describe as describe_own

    return describe_own(own, folder, cache)


def changed_code(objective: ObjectiveKey, folder: Path) -> list[str]:
    """Return the files of an author's own code that changed since it was read, or are missing.

    folder: of the study file on this machine.
    """
    entry = entry_of(objective)
    return entry.changed(folder) if isinstance(entry, OwnCode) else []


def unpack_code(objective: Mapping[str, Any], folder: Path) -> Path | None:
    """Write an author's own code, as it was stored, below a folder; return the folder.

    Returns None where the code was not stored, because it is large or no text.
    """
    from objectives.own.code import unpack

    return unpack(objective["sources"], folder) if objective["sources"] else None


def load(objective: ObjectiveKey, folder: Path | None = None) -> Objective:
    """Return the function that trains; torch is imported by this call, not before.

    folder: of the author's own code on this machine.
    """
    return entry_of(objective).load(folder)


def freeze_loaded() -> None:
    """Exclude all present objects from later garbage collections; a second call does nothing.

    For a process that trains, once its objective is loaded: torch leaves half a million live
    objects, and each full collection over them cost .25 s in the middle of training.
    """
    if not gc.get_freeze_count():
        gc.freeze()


def limit_gpu_memory(share: float) -> None:
    """Let torch take so much of the GPU's memory here and no more; without torch nothing is done.

    A neighbour that needs less leaves nothing to this process either: whether a batch fits, and in
    which parts, must not hang on what others train at that moment.

    share: of the whole memory, up to 1.
    """
    torch = sys.modules.get("torch")
    if torch is not None and share < 1 and torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(share)


def check(objective: ObjectiveKey, config: Mapping[str, Any]) -> None:
    """Raise RecipeError, with the fix, for a configuration that cannot be trained."""
    entry_of(objective).check(config)


def network_recipe(objective: str, config: Mapping[str, Any]) -> ImageRecipe | VolumeRecipe:
    """Return the recipe of a configuration that trains a network.

    Raises RecipeError for one that cannot be trained, and for an objective without a network.
    """
    recipe = shipped(objective).recipe.from_config(config)
    if isinstance(recipe, ToyRecipe):
        raise RecipeError(f"{objective} trains no network", "choose another objective")
    return recipe


def load_task(recipe: ImageRecipe | VolumeRecipe, channels: int) -> Any:
    """Return the `Task` of a recipe, for images of so many channels; torch is imported."""
    task = named(shipped(recipe.objective).task)
    return task(recipe, channels) if isinstance(recipe, VolumeRecipe) else task(recipe)


def schedule(objective: ObjectiveKey, config: Mapping[str, Any]) -> dict[str, int]:
    """Return the two numbers that a pruner needs of a configuration.

    `epochs`, 0 where an author's own code does not tell it, and `settled_epoch`, the last epoch of
    warm-up and unfreezing.
    """
    return entry_of(objective).schedule(config)


def read_data(
    objective: ObjectiveKey,
    source: DataSource,
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
    listed: Callable[[int], None] | None = None,
) -> "Manifest":
    """Read the manifest of the data; DataError when it cannot be used.

    cache: this machine's folder for facts about images that were read before.
    progress: called for each image that is read.
    listed: called with the number of images where `check_data` examines them next.
    """
    # Here, because it loads numpy.
    from objectives.data.manifest.manifest import NOTHING, read_manifest

    has_data = entry_of(objective).reads(source)
    return read_manifest(source, cache, progress, listed) if has_data else NOTHING


def check_layout(layout: Mapping[str, Any]) -> None:
    """Raise DataError for a declaration that is wrong whatever the data are."""
    check_patterns(layout)


def list_data(
    objective: ObjectiveKey,
    source: DataSource,
    cache: Path | None = None,
    partition_for: Callable[[Sequence[str]], Path] | None = None,
) -> "ListedData":
    """Return the source with its manifest, so that nothing lists its folder again.

    Raises DataError when the data cannot be used.

    cache: this machine's folder for facts about images that were read before.
    partition_for: called with the paths of the images; returns a partition file to split them by.
    """
    # Here, because they load numpy.
    from objectives.data.manifest import listed
    from objectives.data.manifest.manifest import NOTHING

    if not entry_of(objective).reads(source):
        return listed.with_manifest(source, NOTHING)
    return listed.list_data(source, cache, partition_for)


def check_data(
    objective: ObjectiveKey,
    source: DataSource,
    manifest: "Manifest",
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> "list[Problem]":
    """Find the problems of the data, errors first, each with the id of its rule.

    Opens every image that was not examined before.

    cache: as for `read_data`.
    progress: as for `read_data`.
    """
    from objectives.data.checks.check import check_data as check_rows

    has_data = entry_of(objective).reads(source)
    return check_rows(source, manifest, cache, progress) if has_data else []


def channels(source: DataSource) -> int:
    """Count the channels of one image: 3, or the modalities that a study of volumes declares."""
    from objectives.data.layouts.readers import open_layout  # here, because it loads numpy

    return open_layout(source).pixels_shape(image_size=1)[0]


def check_fit(objective: ObjectiveKey, config: Mapping[str, Any], data: DataSummary) -> None:
    """Raise RecipeError for a configuration that the data are too small for."""
    recipe = recipe_of(objective, config)
    if isinstance(recipe, ClassifierRecipe):
        images = sum(data.counts["train"].values())
        fit.check_fit(recipe, images, len(data.classes), has_table=bool(data.columns))


def preflight(
    objective: ObjectiveKey, configs: Iterable[Mapping[str, Any]], source: DataSource
) -> dict[str, dict[str, str]]:
    """Check that every network can be built for the data; fetch the weights that are missing.

    Returns the file, sha256, licence and parameter count of all weights by "backbone weights".
    Raises RecipeError with the fix. A child process builds the networks, so that this one loads no
    torch; networks that certainly can be built are skipped.
    """
    recipes = [recipe_of(objective, config) for config in configs]
    networks = [each for each in recipes if isinstance(each, ImageRecipe | VolumeRecipe)]
    doubtful = {json.dumps(_network(each)): each for each in networks if not _surely_builds(each)}
    if not doubtful:
        return {}
    names = ", ".join(sorted({recipe.backbone for recipe in doubtful.values()}))
    question = {"channels": channels(source), "networks": [json.loads(each) for each in doubtful]}
    answer = ask("objectives.models.probe", question, purpose=f"building {names}")
    records: dict[str, dict[str, str]] = json.loads("".join(answer))
    return records


def weights_key(config: Mapping[str, Any]) -> str:
    """Return the key under which `preflight` records the weights of a whole configuration."""
    return weights_name(config.get("backbone"), config.get("weights"))


def _network(recipe: ImageRecipe | VolumeRecipe) -> dict[str, Any]:
    names = (*_BUILT_BY, *_SINGLE_PARTS) if recipe.micro_batch == 1 else _BUILT_BY
    known = {name: getattr(recipe, name) for name in names if hasattr(recipe, name)}
    return {"objective": recipe.objective, **known}


def _surely_builds(recipe: ImageRecipe | VolumeRecipe) -> bool:
    """Return whether the recipe has checked everything: no file, compiler, timm or BatchNorm."""
    if recipe.weights != "none" or recipe.compile or recipe.micro_batch == 1:
        return False
    if isinstance(recipe, VolumeRecipe):
        return find_spec("monai") is not None
    return known_backbone(recipe.backbone).library != "timm"
