"""Build networks before a search does: weights are fetched, and an image of each size passes.

`python -P -m objectives.models.probe` reads a JSON list of {objective, backbone, weights, …},
the fields of a recipe that decide whether its network can be built, and prints the record of every
file of weights by "backbone weights"; what cannot be had is one line on stderr and exit code 2.
"""

import json
import sys
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from objectives.catalog import network_recipe
from objectives.contract import RecipeError
from objectives.models.backbones import Backbone, build_backbone, own_image_size
from objectives.models.compiler import check_compiler
from objectives.models.timm_networks import MISFITS, no_features
from objectives.models.volume_networks import VolumeBackbone, build_volume_backbone
from objectives.recipe.image import ImageRecipe
from objectives.recipe.network import weights_name
from objectives.recipe.volume import VolumeRecipe

Records = dict[str, dict[str, str]]
_MODALITIES = 4  # what a file of one is inflated to; of how many the data are, only they know


def main() -> int:
    """Answer on stdout what is asked on stdin."""
    try:
        recipes = [network_recipe(each.pop("objective"), each) for each in json.load(sys.stdin)]
        print(json.dumps(preflight(recipes)))
    except RecipeError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def preflight(recipes: Iterable[ImageRecipe | VolumeRecipe]) -> Records:
    """Give the records of all weights; raises RecipeError for the first network that cannot be."""
    records: Records = {}
    for recipe in recipes:
        if recipe.compile:
            check_compiler("cuda" if torch.cuda.is_available() else "cpu")
        backbone, key = _build(recipe), weights_name(recipe.backbone, recipe.weights)
        if backbone.weights and key not in records:
            records[key] = backbone.weights.record(backbone.network)
    return records


def check_image_size(recipe: ImageRecipe, backbone: Backbone) -> None:
    """Raise RecipeError unless an image of the recipe's size becomes one vector of features.

    The network is emptied: only shapes are computed, which takes neither time nor memory.
    """
    own = own_image_size(recipe.backbone)
    size = recipe.image_size or own
    try:
        features = _pass_one_image(backbone.network, size)
    except MISFITS as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise RecipeError(
            f"image_classifier: {recipe.backbone} cannot take an image_size of {size} ({said}); "
            + (f"set image_size to {own}" if size != own else "choose another backbone")
        ) from error
    if not isinstance(features, torch.Tensor) or features.shape != (1, backbone.features):
        raise no_features(recipe.backbone)


def _build(recipe: ImageRecipe | VolumeRecipe) -> Backbone | VolumeBackbone:
    """Give a network that takes the recipe's size; a 3-D ResNet takes all that its recipe does."""
    if isinstance(recipe, VolumeRecipe):
        return build_volume_backbone(recipe, _MODALITIES)
    backbone = build_backbone(recipe)
    check_image_size(recipe, backbone)
    return backbone


@torch.no_grad()
def _pass_one_image(network: nn.Module, size: int) -> Any:
    network.eval().to("meta")
    return network(torch.zeros(1, 3, size, size, device="meta"))


if __name__ == "__main__":
    sys.exit(main())
