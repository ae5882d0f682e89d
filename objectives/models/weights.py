"""Find, read and load the file of weights that a backbone starts from."""

import argparse
import os
import pickle
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from objectives.contract import RecipeError
from objectives.files.digest import sha256
from objectives.models import fetched
from objectives.models.timm_networks import MISFITS, State, timm_settings
from objectives.recipe.backbones import known_backbone
from objectives.recipe.network import Network, check_licence
from objectives.recipe.volume import VolumeRecipe

Convert = Callable[[State, nn.Module], State]

WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model")  # averaged weights come first
PREFIXES = ("_orig_mod.", "module.", "_orig_mod.")  # of torch.compile and DistributedDataParallel


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A file of weights for a backbone.

    name: the name under which the file is recorded.
    remedy: the last clause of an error about a file that cannot be used.
    """

    objective: str
    backbone: str
    path: Path
    name: str
    licence: str
    remedy: str

    def record(self, network: nn.Module) -> dict[str, str]:
        """Return the facts that a study stores about the file and the network that loaded it."""
        count = sum(each.numel() for each in network.parameters())
        known = {"file": self.name, "sha256": sha256(self.path), "licence": self.licence}
        return {**known, "parameters": str(count)}


def find_weights(recipe: Network) -> Weights | None:
    """Return a recipe's file of weights, downloaded if need be; None when it has none.

    Raises RecipeError when the file cannot be had or the recipe excludes its licence.
    """
    if recipe.weights == "none":
        return None
    if recipe.weights != "pretrained":
        return local_weights(recipe)
    known = known_backbone(recipe.backbone)
    if known.library == "timm":
        return _of_timm(recipe, str(known.tag))
    path = fetched.torchvision_file(recipe.backbone, str(known.tag))
    return _published(recipe, path, path.name, str(known.licence))


def local_weights(recipe: Network | VolumeRecipe) -> Weights:
    """Return the file at the path in a recipe's `weights`; RecipeError when there is none."""
    path = Path(os.path.expanduser(recipe.weights))  # noqa: PTH111 - Path's raises for no such user
    if not path.is_file():
        raise RecipeError(
            f"{recipe.objective}: there is no weights file {path}",
            fix="put it there, or set weights to the path of another or to none",
        )
    return Weights(
        objective=recipe.objective,
        backbone=recipe.backbone,
        path=path,
        name=recipe.weights,
        licence="unknown",
        remedy="set weights to another file or to none",
    )


def load_weights(
    network: nn.Module,
    weights: Weights,
    classifiers: Iterable[str],
    convert: Convert | None = None,
) -> None:
    """Load a file into a backbone, whole or not at all.

    The file must hold every weight of the backbone and, besides a classifier, no other one. Raises
    RecipeError for the file of another architecture.

    classifiers: names of layers that only a whole network has; they are left out.
    convert: turns the layout of a file that does not fit into the network's.
    """
    heads = tuple(f"{each.split('.')[0]}." for each in classifiers)
    state = _headless(heads, _of_backbone(_read(weights)), network)
    found = _first_mismatch(network, state)
    if found and convert:
        state = _headless(heads, _converted(state, network, convert), network)
        found = _first_mismatch(network, state)
    if found:
        raise RecipeError(
            f"{weights.objective}: {weights.path} are not the weights of {weights.backbone}: "
            f"{found}",
            fix=f"set backbone to the network of these weights, or {weights.remedy}",
        )
    network.load_state_dict(state)


def _of_timm(recipe: Network, tag: str) -> Weights:
    settings = timm_settings(tag)
    if not (settings.hf_hub_id or settings.url):
        raise RecipeError(
            f"image_classifier: {recipe.backbone} has no pretrained weights",
            fix="set weights to none",
        )
    licence = settings.license or "unknown"
    check_licence(recipe, licence)  # before hundreds of megabytes are downloaded
    if settings.hf_hub_id:
        path = fetched.hub_file(recipe.backbone, settings.hf_hub_id)
        return _published(recipe, path, f"{settings.hf_hub_id}/{path.name}", licence)
    path = fetched.url_file(recipe.backbone, settings.url)
    return _published(recipe, path, path.name, licence)


def _published(recipe: Network, path: Path, name: str, licence: str) -> Weights:
    return Weights(
        objective=recipe.objective,
        backbone=recipe.backbone,
        path=path,
        name=name,
        licence=licence,
        remedy="delete it to fetch it again",
    )


def _read(weights: Weights) -> Mapping[str, Any]:
    """Read a file without running any code that it holds."""
    try:
        if weights.path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(weights.path)
        with torch.serialization.safe_globals([argparse.Namespace]):  # timm's training arguments
            held: Any = torch.load(weights.path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise RecipeError(
            f"{weights.objective}: {weights.path} cannot be read ({error.strerror})",
            fix="make it readable",
        ) from error
    except Exception as error:  # a damaged file makes its reader raise errors of any class
        raise _unreadable(weights, error) from error
    if not isinstance(held, Mapping):
        raise _unreadable(weights, TypeError(type(held).__name__))
    return held


def _unreadable(weights: Weights, error: Exception) -> RecipeError:
    if isinstance(error, pickle.UnpicklingError) and "nsupported global" in str(error).lower():
        return RecipeError(
            f"{weights.objective}: {weights.path} holds more than tensors, which is not loaded",
            fix="save its state_dict() alone with torch.save, and set weights to that file",
        )
    return RecipeError(f"{weights.objective}: {weights.path} is damaged", fix=weights.remedy)


def _of_backbone(held: Mapping[str, Any]) -> State:
    """Return the tensors of a backbone from any known wrapper; our own files also hold a head."""
    for wrapper in WRAPPERS:
        if isinstance(held.get(wrapper), Mapping):
            held = held[wrapper]
            break
    state = {
        _bare(key): value
        for key, value in held.items()
        if isinstance(key, str) and isinstance(value, Tensor)
    }
    is_ours = bool(state) and all(
        key.startswith(("backbone.", "head.", "branch.")) for key in state
    )
    if not is_ours:
        return state
    start = len("backbone.")
    return {key[start:]: value for key, value in state.items() if key.startswith("backbone.")}


def _bare(key: str) -> str:
    for prefix in PREFIXES:
        key = key.removeprefix(prefix)
    return key


def _headless(heads: tuple[str, ...], state: State, network: nn.Module) -> State:
    own = network.state_dict().keys()
    return {key: value for key, value in state.items() if key in own or not key.startswith(heads)}


def _converted(state: State, network: nn.Module, convert: Convert) -> State:
    try:
        return convert(dict(state), network)
    except MISFITS:  # made for some layouts, it fails on others; the error names the first mismatch
        return state


def _first_mismatch(network: nn.Module, state: State) -> str | None:
    """Describe the first weight, in the network's order, in which file and network differ."""
    own = network.state_dict()
    for key, value in own.items():
        if key not in state:
            if key.endswith("num_batches_tracked"):  # files older than torch 0.4.1 have none
                continue
            return f"it has no {key}"
        if state[key].shape != value.shape:
            return f"{key} is {_shape(state[key])} in the file and {_shape(value)} in the network"
        if value.is_floating_point() and (found := _not_numbers(state[key])):
            return f"{key} {found} in the file"
    extra = next((key for key in state if key not in own), None)
    return f"the network has no {extra}" if extra else None


def _not_numbers(value: Tensor) -> str | None:
    """Describe a tensor that a network cannot compute with; None for an ordinary one."""
    if value.layout != torch.strided or value.is_meta or not value.is_floating_point():
        return f"is {value.device.type} {value.layout} {value.dtype}".replace("torch.", "")
    return None if value.float().isfinite().all() else "is not finite"


def _shape(value: Tensor) -> str:
    return "x".join(map(str, value.shape)) or "one number"
