"""Which backbones can be named and what is known of each before any is built; no torch here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from objectives.contract import RecipeError
from objectives.recipe.fields import nearest

NONCOMMERCIAL = "cc-by-nc-4.0"


@dataclass(frozen=True)
class Backbone:
    """What a name stands for.

    library: who builds it. tag: torchvision's weights enum, or timm's name with its pretrained tag;
    None where there are no weights. licence: of the weights, None where only timm can say it.
    image_size: its own side in pixels, None where only timm can say it. multiple: what every image
    size must be a multiple of.
    """

    library: Literal["torchvision", "timm", "ours"]
    tag: str | None
    licence: str | None = None
    image_size: int | None = 224
    multiple: int = 1

    @property
    def has_small_stem(self) -> bool:
        """Whether its first layers can be exchanged for some that suit tiny images."""
        return self.library == "torchvision" and str(self.tag).startswith("ResNet")


def _torchvision(weights: str) -> Backbone:
    return Backbone("torchvision", weights, "bsd-3-clause")


# One line each: what is not here is looked up in timm by its own name.
BACKBONES: Mapping[str, Backbone] = {
    "resnet18": _torchvision("ResNet18_Weights.IMAGENET1K_V1"),
    "resnet34": _torchvision("ResNet34_Weights.IMAGENET1K_V1"),
    "resnet50": _torchvision("ResNet50_Weights.IMAGENET1K_V2"),
    "resnext50_32x4d": _torchvision("ResNeXt50_32X4D_Weights.IMAGENET1K_V2"),
    "convnextv2_tiny": Backbone("timm", "convnextv2_tiny.fcmae_ft_in22k_in1k", NONCOMMERCIAL),
    "convnextv2_base": Backbone("timm", "convnextv2_base.fcmae_ft_in22k_in1k", NONCOMMERCIAL),
    "efficientnetv2_s": Backbone("timm", "tf_efficientnetv2_s.in21k_ft_in1k", "apache-2.0", 300),
    "dinov2_vits14": Backbone(
        "timm", "vit_small_patch14_dinov2.lvd142m", "apache-2.0", 224, multiple=14
    ),
    "small_cnn": Backbone("ours", None, image_size=32, multiple=1),
}


def known_backbone(name: str) -> Backbone:
    """Give what a name stands for: one of ours, or any of timm's as it is, pretrained tag or not.

    Raises RecipeError with the nearest name.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    if name.split(".")[0] in timm_names():
        return Backbone("timm", name, image_size=None)
    ours = get_close_matches(name, BACKBONES, 1, cutoff=0.8)
    meant = ours[0] if ours else nearest(name, timm_names() or BACKBONES)
    raise RecipeError(
        f"image_classifier: there is no backbone {name!r}; did you mean {meant!r}? "
        f"(ours: {', '.join(BACKBONES)}; or a name of timm's)"
    )


@cache
def timm_names() -> frozenset[str]:
    """Give the name of every network that timm can build, read from its source without loading it.

    Loading timm loads torch, which takes seconds; this takes 25 ms.
    """
    found = find_spec("timm")
    if found is None or found.origin is None:
        return frozenset()
    registered = re.compile(r"^@register_model\ndef (\w+)", re.MULTILINE)
    sources = (Path(found.origin).parent / "models").glob("*.py")
    return frozenset(name for each in sources for name in registered.findall(each.read_text()))
