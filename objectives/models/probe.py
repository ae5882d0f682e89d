"""Build the networks of a study before it runs: fetch weights, pass an image of each size.

`python -P -m objectives.models.probe` reads {channels, networks} as JSON: the channels of an image,
and a list of {objective, backbone, weights, ...}, the hyperparameters that decide whether a network
can be built. It prints the record of every file of weights by "backbone weights". A network that
cannot be built is one line on stderr and exit code 2.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from objectives.catalog import network_recipe
from objectives.contract import RecipeError
from objectives.models.backbones import Backbone, build_backbone, own_image_size
from objectives.models.batchnorm import smallest_part
from objectives.models.compiler import check_compiler
from objectives.models.timm_networks import MISFITS, no_features
from objectives.models.volume_networks import VolumeBackbone, build_volume_backbone
from objectives.recipe.image import ImageRecipe
from objectives.recipe.network import weights_name
from objectives.recipe.volume import VolumeRecipe

Records = dict[str, dict[str, str]]


def main(question: Mapping[str, Any]) -> int:
    """Print the records of all weights; return 2, with the error on stderr, where one fails."""
    try:
        recipes = [network_recipe(each.pop("objective"), each) for each in question["networks"]]
        print(json.dumps(preflight(recipes, question["channels"])))
    except RecipeError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def preflight(recipes: Iterable[ImageRecipe | VolumeRecipe], channels: int) -> Records:
    """Build all networks for images of so many channels; return the records of their weights.

    Raises RecipeError for the first network that cannot be built.
    """
    records: Records = {}
    for recipe in recipes:
        if recipe.compile:
            check_compiler("cuda" if torch.cuda.is_available() else "cpu")
        backbone, key = _build(recipe, channels), weights_name(recipe.backbone, recipe.weights)
        if backbone.weights and key not in records:
            records[key] = backbone.weights.record(backbone.network)
    return records


def check_image_size(recipe: ImageRecipe, backbone: Backbone) -> None:
    """Raise RecipeError unless an image of the recipe's size becomes one vector of features.

    The network loses its weights: only shapes are computed, which takes little time and memory.
    """
    own = own_image_size(recipe.backbone)
    size = recipe.image_size or own
    try:
        features = _pass_one_image(backbone.network, size)
    except MISFITS as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise RecipeError(
            f"image_classifier: {recipe.backbone} cannot take an image_size of {size} ({reason})",
            fix=f"set image_size to {own}" if size != own else "choose another backbone",
        ) from error
    if not isinstance(features, torch.Tensor) or features.shape != (1, backbone.features):
        raise no_features(recipe.backbone)


def _build(recipe: ImageRecipe | VolumeRecipe, channels: int) -> Backbone | VolumeBackbone:
    if isinstance(recipe, VolumeRecipe):
        volumes = build_volume_backbone(recipe, channels)
        smallest_part(recipe, volumes.network)
        return volumes
    backbone = build_backbone(recipe)
    smallest_part(recipe, backbone.network)  # refuses parts that are too small
    check_image_size(recipe, backbone)  # a 3-D ResNet takes every size that its recipe does
    return backbone


@torch.no_grad()
def _pass_one_image(network: nn.Module, size: int) -> Any:
    network.eval().to("meta")
    return network(torch.zeros(1, 3, size, size, device="meta"))


if __name__ == "__main__":
    sys.exit(main(json.load(sys.stdin)))
