"""The hyperparameters of what is trained: the network and the images it sees."""

from dataclasses import dataclass

from objectives.contract import RecipeError
from objectives.recipe.backbones import BACKBONES, NONCOMMERCIAL, known_backbone
from objectives.recipe.fields import Recipe, choice, name, toggle, when, whole

FEWEST_PIXELS = 16  # of a side
# Words of the licences of timm's weights: CC-BY-NC, Meta's FAIR and Apple's AMLR.
NONCOMMERCIAL_WORDS = {"nc", "noncommercial", "amlr"}
WEIGHT_FILES = (".pt", ".pth", ".bin", ".safetensors", ".ckpt", ".tar")


@dataclass(frozen=True)
class Network(Recipe):
    """Backbone and images."""

    backbone: str = name(
        "resnet18",
        tuple(BACKBONES),
        "The network that turns an image into features: one of these, or any of timm's by name.",
        source="ResNets: He et al. 2016, arXiv:1512.03385, as torchvision builds them",
    )
    weights: str = name(
        "none",
        ("none", "pretrained"),
        "Where the backbone starts: random, as its library trained it, or the path of a file.",
        source="torchvision's weights enums and timm's pretrained tags",
    )
    allow_noncommercial: bool = toggle(
        True,
        "Whether weights may be used that are licensed for non-commercial use only.",
        acts_when=when(weights="pretrained"),
    )
    stem: str = choice(
        "standard",
        ("standard", "small"),
        "The first layers: 7x7 stride 2 and a max-pool, or one 3x3 of stride 1 for tiny images "
        "(ResNets only).",
        source="small: He et al. 2016, section 4.2; 9 times dearer at 32 px",
    )
    image_size: int = whole(
        224, 0, 1024, "Side of the square the network sees; 0 is the backbone's own.", unit="px"
    )
    augmentation: str = choice(
        "light",
        ("none", "shift", "light", "medical", "strong"),
        "What is done to a training image: moved a little (shift); flipped and recoloured as well "
        "(light); further (medical); with RandAugment and an erased patch (strong).",
        source="RandAugment: Cubuk et al. 2019, arXiv:1909.13719; erasing: arXiv:1708.04896",
    )


def weights_name(backbone: object, weights: object) -> str:
    """Give the name under which what is known of a backbone's weights is kept."""
    return f"{backbone} {weights}"


def check_network(recipe: Network) -> None:
    """Raise RecipeError for a network that cannot be built, as far as its name alone can tell."""
    known = known_backbone(recipe.backbone)
    if recipe.stem == "small" and (not known.has_small_stem or recipe.weights != "none"):
        raise RecipeError(
            f"image_classifier: the small stem is for ResNets without weights, not for "
            f"{recipe.backbone} with weights {recipe.weights}; set stem to standard, or weights to "
            "none on a resnet"
        )
    if recipe.weights == "pretrained":
        if known.tag is None:
            raise RecipeError(
                f"image_classifier: {recipe.backbone} has no pretrained weights; set weights to "
                "none"
            )
        if known.licence == NONCOMMERCIAL:
            check_licence(recipe, known.licence)
    elif recipe.weights != "none" and not is_path(recipe.weights):
        raise RecipeError(
            f"image_classifier: weights is {recipe.weights!r}; give it none, pretrained or the "
            "path of a weights file"
        )
    _check_image_size(recipe, known.multiple)


def is_noncommercial(licence: str) -> bool:
    """Say whether weights of this licence may be used non-commercially only."""
    return bool(NONCOMMERCIAL_WORDS & set(licence.lower().split("-")))


def check_licence(recipe: Network, licence: str) -> None:
    """Raise RecipeError when the weights may be used non-commercially only and must not be."""
    if is_noncommercial(licence) and not recipe.allow_noncommercial:
        raise RecipeError(
            f"image_classifier: the pretrained weights of {recipe.backbone} are licensed "
            f"{licence}, non-commercial use only; choose another backbone, set weights to none, or "
            "allow_noncommercial to true"
        )


def _check_image_size(recipe: Network, multiple: int) -> None:
    size = recipe.image_size
    if size and (size < FEWEST_PIXELS or size % multiple):
        nearest = max(round(size / multiple), -(-FEWEST_PIXELS // multiple)) * multiple
        raise RecipeError(
            f"image_classifier: {recipe.backbone} cannot take an image_size of {size}; "
            f"use {nearest}"
            + (f" or another multiple of {multiple}" if multiple > 1 else " or more")
        )


def is_path(weights: str) -> bool:
    """Say whether `weights` looks like a file's path, there or not."""
    return "/" in weights or weights.endswith(WEIGHT_FILES)
