"""The hyperparameters of the network and of the images it sees."""

from dataclasses import dataclass

from objectives.contract import RecipeError
from objectives.recipe.backbones import BACKBONES, NONCOMMERCIAL, known_backbone
from objectives.recipe.fields import Recipe, choice, name, toggle, when, whole

SMALLEST_SIDE = 16  # px
# Words of the licences of timm's weights: CC-BY-NC, Meta's FAIR and Apple's AMLR.
NONCOMMERCIAL_WORDS = {"nc", "noncommercial", "amlr"}
WEIGHT_FILES = (".pt", ".pth", ".bin", ".safetensors", ".ckpt", ".tar")


@dataclass(frozen=True, kw_only=True)
class Network(Recipe):
    """Backbone and images."""

    backbone: str = name(
        "resnet18",
        tuple(BACKBONES),
        "The network that turns an image into features: one of these, or any name of timm's.",
        source="ResNets: He et al. 2016, arXiv:1512.03385, as torchvision builds them",
    )
    weights: str = name(
        "none",
        ("none", "pretrained"),
        "Where the backbone starts: at random, as its library published it, or from the file at "
        "this path.",
        source="torchvision's weights enums and timm's pretrained tags",
    )
    allow_noncommercial: bool = toggle(
        True,
        "Whether weights whose licence forbids commercial use may be used.",
        acts_when=when(weights="pretrained"),
    )
    stem: str = choice(
        "standard",
        ("standard", "small"),
        "The first layers of a ResNet: 7x7 with stride 2 and a max-pool, or one 3x3 with stride 1 "
        "for tiny images.",
        source="small: He et al. 2016, section 4.2; takes 9 times as long at 32 px",
    )
    image_size: int = whole(
        224,
        0,
        1024,
        "Side of the square that the network sees; 0 is the backbone's own size.",
        unit="px",
    )
    augmentation: str = choice(
        "light",
        ("none", "shift", "light", "medical", "strong"),
        "How training images are changed: shift moves them a little; light also flips and "
        "recolours them; medical does so further; strong adds RandAugment and an erased patch.",
        source="RandAugment: Cubuk et al. 2019, arXiv:1909.13719; erasing: arXiv:1708.04896",
    )


def weights_name(backbone: object, weights: object) -> str:
    """Return the key under which the record of a backbone's weights is kept."""
    return f"{backbone} {weights}"


def check_network(recipe: Network) -> None:
    """Raise RecipeError for a network that cannot be built, judged without building it."""
    known = known_backbone(recipe.backbone)
    if recipe.stem == "small" and (not known.has_small_stem or recipe.weights != "none"):
        raise RecipeError(
            "image_classifier: the small stem is for ResNets without weights, not for "
            f"{recipe.backbone} with weights {recipe.weights}",
            fix="set stem to standard, or weights to none on a resnet",
        )
    if recipe.weights == "pretrained":
        if known.tag is None:
            raise RecipeError(
                f"image_classifier: {recipe.backbone} has no pretrained weights",
                fix="set weights to none",
            )
        if known.licence == NONCOMMERCIAL:
            check_licence(recipe, known.licence)
    elif recipe.weights != "none" and not is_path(recipe.weights):
        raise RecipeError(
            f"image_classifier: weights is {recipe.weights!r}",
            fix="give it none, pretrained or the path of a weights file",
        )
    _check_image_size(recipe, known.multiple)


def is_noncommercial(licence: str) -> bool:
    """Return whether a licence allows non-commercial use only."""
    return bool(NONCOMMERCIAL_WORDS & set(licence.lower().split("-")))


def check_licence(recipe: Network, licence: str) -> None:
    """Raise RecipeError for non-commercial weights where the recipe does not allow them."""
    if is_noncommercial(licence) and not recipe.allow_noncommercial:
        raise RecipeError(
            f"image_classifier: the pretrained weights of {recipe.backbone} are licensed "
            f"{licence}, non-commercial use only",
            fix="choose another backbone, set weights to none, or allow_noncommercial to true",
        )


def _check_image_size(recipe: Network, multiple: int) -> None:
    size = recipe.image_size
    if size and (size < SMALLEST_SIDE or size % multiple):
        nearest = max(round(size / multiple), -(-SMALLEST_SIDE // multiple)) * multiple
        raise RecipeError(
            f"image_classifier: {recipe.backbone} cannot take an image_size of {size}",
            fix=f"use {nearest} "
            + (f"or another multiple of {multiple}" if multiple > 1 else "or more"),
        )


def is_path(weights: str) -> bool:
    """Return whether `weights` looks like the path of a file, present or not."""
    return "/" in weights or weights.endswith(WEIGHT_FILES)
