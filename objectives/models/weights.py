"""Find, read and load the file of weights that a backbone starts from."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from objectives.contract import RecipeError
from objectives.files.digest import sha256
from objectives.models import fetched
from objectives.models.timm_networks import MISFITS, timm_settings
from objectives.models.unwrapping import Place, State, by_position, places
from objectives.models.weight_files import UnreadableWeights, read_weights
from objectives.recipe.backbones import known_backbone
from objectives.recipe.network import Network, check_licence
from objectives.recipe.volume import VolumeRecipe

Convert = Callable[[State, nn.Module], State]

SHOWN = 3  # names in a message


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A file of weights for a backbone.

    name: the name under which the file is recorded.
    remedy: the last clause of an error about a file that cannot be used.
    reading: how they were read from their file, in words; empty for a bare file.
    """

    objective: str
    backbone: str
    path: Path
    name: str
    licence: str
    remedy: str
    reading: str = ""

    def record(self, network: nn.Module) -> dict[str, str]:
        """Return the facts that a study stores about the file and the network that loaded it."""
        count = sum(each.numel() for each in network.parameters())
        known = {"file": self.name, "sha256": sha256(self.path), "licence": self.licence}
        reading = {"reading": self.reading} if self.reading else {}
        return {**known, "parameters": str(count), **reading}


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
    _check_file(recipe, path)
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
) -> Weights:
    """Load a file into a backbone, whole or not at all; return where in the file they were found.

    The file must hold every weight of the backbone and, besides a classifier and what stands around
    a backbone in training, no other one. Raises RecipeError for the file of another architecture,
    and for one with several networks of this architecture of which none is to be preferred.

    classifiers: names of layers that only a whole network has; they are left out.
    convert: turns the layout of a file that does not fit into the network's.
    """
    own, heads = list(network.state_dict()), [each.split(".")[0] for each in classifiers]
    found = [place.without_beside(own, heads) for place in places(_read(weights), own)]
    fitting = [each for each in found if not _first_mismatch(network, each.state)]
    if not fitting:
        renamed = [each for place in found for each in _renamed(place, network, heads, convert)]
        fitting = [each for each in renamed if not _first_mismatch(network, each.state)]
        if not fitting:
            raise _other_architecture(weights, network, [*found, *renamed])
    chosen, others = _choose(weights, fitting)
    network.load_state_dict(chosen.state)
    return replace(weights, reading=_in_words(chosen, others))


def _check_file(recipe: Network | VolumeRecipe, path: Path) -> None:
    """Raise RecipeError where there is no file that this user may open."""
    found, fix = f"there is no weights file {path}", "put it there, or set weights to the path of"
    fix += " another or to none"
    try:
        if path.is_file():
            return
        if path.is_dir():
            found, fix = f"{path} is a folder", "set weights to the file in it"
        elif "://" in recipe.weights:
            fix = "download it, and set weights to its path"
    except OSError as error:  # a folder that may not be entered, a name that is too long
        found, fix = (
            f"{path} cannot be reached ({error.strerror})",
            "correct the path, or its rights",
        )
    raise RecipeError(f"{recipe.objective}: {found}", fix=fix)


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


def _read(weights: Weights) -> Mapping[Any, Any]:
    try:
        return read_weights(weights.path)
    except OSError as error:
        raise RecipeError(
            f"{weights.objective}: {weights.path} cannot be read ({error.strerror})",
            fix="make it readable",
        ) from error
    except UnreadableWeights as error:
        raise RecipeError(
            f"{weights.objective}: {weights.path} {error.found}", fix=error.fix or weights.remedy
        ) from error


def _renamed(
    place: Place, network: nn.Module, heads: list[str], convert: Convert | None
) -> Iterator[Place]:
    """Yield the place in the names of the network, by its authors' converter and by position."""
    own = list(network.state_dict())
    children = dict.fromkeys(name.split(".")[0] for name in own)
    numbered = by_position(place.state, [*children, *heads])
    states = {"with its layers named by their position": numbered}
    if convert:
        with suppress(*MISFITS):  # made for some layouts, it fails on others
            states["converted to this network"] = convert(dict(place.state), network)
    for how, state in states.items():
        yield replace(place, state=state, renamed=how).without_beside(own, heads)


def _choose(weights: Weights, fitting: list[Place]) -> tuple[Place, list[Place]]:
    """Choose one of the places that fit; return it with those of other numbers."""
    chosen = min(fitting, key=lambda place: place.rank)
    others = [each for each in fitting if not _are_equal(each.state, chosen.state)]
    equals = [each for each in others if each.rank == chosen.rank]
    if equals:
        raise RecipeError(
            f"{weights.objective}: {weights.path} holds different weights of {weights.backbone}: "
            f"{_listed([chosen, *equals])}",
            fix="save those that you mean alone with torch.save, and set weights to that file",
        )
    return chosen, others


def _are_equal(state: State, other: State) -> bool:
    return state.keys() == other.keys() and all(
        value.equal(other[name]) for name, value in state.items()
    )


def _in_words(chosen: Place, others: list[Place]) -> str:
    """Say how a network was read from its file, and what beside it is not used; "" if plainly."""
    copies = {each.prefix.removesuffix(".") for each in others if each.keys == chosen.keys}
    unused = [
        f"{name} ({count})" for name, count in chosen.unused.most_common() if name not in copies
    ]
    more = f" and {len(unused) - SHOWN} more" if len(unused) > SHOWN else ""
    parts = (
        f"read {chosen.words or 'at the outermost level'}",
        f"not those {_listed(others)}" if others else "",
        f"not used: {', '.join(unused[:SHOWN])}{more}" if unused else "",
    )
    return "; ".join(filter(None, parts)) if chosen.words or others or unused else ""


def _listed(found: list[Place]) -> str:
    return " and ".join(each.words or "at the outermost level" for each in found[:SHOWN])


def _other_architecture(weights: Weights, network: nn.Module, tried: list[Place]) -> RecipeError:
    """Build the error of a file that does not fit; names that differ are shown of both sides."""
    own = network.state_dict()
    nothing = Place(keys=(), prefix="", state={})
    nearest = max(tried, key=lambda place: _fitting_names(own, place.state), default=nothing)
    if 2 * len(own.keys() & nearest.state.keys()) < len(own):
        nearest = max(tried, key=lambda place: len(place.state), default=nothing)
        theirs, ours = (", ".join(list(each)[:SHOWN]) for each in (nearest.state, own))
        names = f", whose names begin with {theirs} and not with {ours}" if theirs else ""
    else:
        names = ""
    read = f" (read {nearest.words})" if nearest.words else ""
    fix = _only_difference(network, nearest.state) or (
        f"set backbone to the network of these weights{names}"
    )
    return RecipeError(
        f"{weights.objective}: {weights.path}{read} are not the weights of {weights.backbone}: "
        f"{_first_mismatch(network, nearest.state)}",
        fix=f"{fix}, or {weights.remedy}",
    )


def _only_difference(network: nn.Module, state: State) -> str:
    """Return the fix of a file without BatchNorm's statistics or with one other shape, else ""."""
    own = network.state_dict()
    missing = own.keys() - state.keys()
    if missing and missing == dict(network.named_buffers()).keys() & own.keys():
        return "save the network's whole state_dict(), with the statistics of BatchNorm"
    differing = [name for name in own if name in state and state[name].shape != own[name].shape]
    if not missing and len(differing) == 1:
        return f"bring {differing[0]}, the only difference, to the network's shape in the file"
    return ""


def _fitting_names(own: Mapping[str, Tensor], state: State) -> int:
    return sum(name in state and state[name].shape == own[name].shape for name in own)


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
