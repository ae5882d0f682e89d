"""Build the networks that turn images into features, by their names."""

from dataclasses import dataclass

from torch import nn

from objectives.data.pixels.normalization import CENTRED, Normalization
from objectives.models.small_cnn import FEATURES, SmallCNN
from objectives.models.timm_networks import (
    build_timm,
    classifiers_of,
    converter,
    features_of,
    timm_settings,
)
from objectives.models.weights import Weights, find_weights, load_weights
from objectives.recipe.backbones import known_backbone
from objectives.recipe.image import ImageRecipe


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """A network that maps images (B, 3, H, W) to features (B, features).

    features: the length of one image's vector.
    normalization: of the pixels that the network expects.
    weights: the file that it starts from, or None.
    """

    network: nn.Module
    features: int
    normalization: Normalization
    weights: Weights | None = None


def build_backbone(recipe: ImageRecipe) -> Backbone:
    """Build the recipe's backbone; without weights it starts from torch's random state.

    Raises RecipeError when the network cannot be built or its weights cannot be had.
    """
    match known_backbone(recipe.backbone).library:
        case "torchvision":
            return _torchvision(recipe)
        case "timm":
            return _timm(recipe)
    return _small_cnn(recipe)


def own_image_size(name: str) -> int:
    """Return the side in pixels that a backbone was made for."""
    known = known_backbone(name)
    return known.image_size or int(timm_settings(name).input_size[-1])


def _torchvision(recipe: ImageRecipe) -> Backbone:
    from torchvision import models  # takes a second to load, which other networks do without

    weights = find_weights(recipe)
    network = models.get_model(recipe.backbone, weights=None)
    features, network.fc = network.fc.in_features, nn.Identity()
    if recipe.stem == "small":
        network.conv1 = nn.Conv2d(3, 64, kernel_size=3, padding=1, bias=False)
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
        network.maxpool = nn.Identity()
    if weights:
        weights = load_weights(network, weights, classifiers=("fc",))
    preset = models.get_weight(str(known_backbone(recipe.backbone).tag)).transforms()
    normalization = Normalization(tuple(preset.mean), tuple(preset.std))
    return Backbone(
        network=network, features=features, normalization=normalization, weights=weights
    )


def _timm(recipe: ImageRecipe) -> Backbone:
    name = str(known_backbone(recipe.backbone).tag)
    weights = find_weights(recipe)
    network = build_timm(name, recipe.image_size or own_image_size(recipe.backbone))
    features = features_of(network, recipe.backbone)
    if weights:
        weights = load_weights(network, weights, classifiers_of(network), converter(name))
    settings = timm_settings(name)
    normalization = Normalization(tuple(settings.mean), tuple(settings.std))
    return Backbone(
        network=network, features=features, normalization=normalization, weights=weights
    )


def _small_cnn(recipe: ImageRecipe) -> Backbone:
    weights, network = find_weights(recipe), SmallCNN()
    if weights:
        weights = load_weights(network, weights, classifiers=("fc",))
    return Backbone(network=network, features=FEATURES, normalization=CENTRED, weights=weights)
