"""The names of backbones, and the facts about each that are known without torch."""

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


@dataclass(frozen=True, kw_only=True)
class BackboneName:
    """The meaning of a backbone's name.

    library: builds the network.
    tag: torchvision's weights enum, or timm's name with its pretrained tag; None without weights.
    licence: of the weights; None where only timm knows it.
    image_size: the backbone's own side in pixels; None where only timm knows it.
    multiple: every image size must be a multiple of it.
    """

    library: Literal["torchvision", "timm", "ours"]
    tag: str | None
    licence: str | None = None
    image_size: int | None = 224
    multiple: int = 1

    @property
    def has_small_stem(self) -> bool:
        """Whether its first layers can be exchanged for ones that suit tiny images."""
        return self.library == "torchvision" and str(self.tag).startswith("ResNet")


def _torchvision(weights: str) -> BackboneName:
    return BackboneName(library="torchvision", tag=weights, licence="bsd-3-clause")


def _timm(tag: str, licence: str, image_size: int = 224, multiple: int = 1) -> BackboneName:
    return BackboneName(
        library="timm", tag=tag, licence=licence, image_size=image_size, multiple=multiple
    )


# One line each; every other name is looked up in timm.
BACKBONES: Mapping[str, BackboneName] = {
    "resnet18": _torchvision("ResNet18_Weights.IMAGENET1K_V1"),
    "resnet34": _torchvision("ResNet34_Weights.IMAGENET1K_V1"),
    "resnet50": _torchvision("ResNet50_Weights.IMAGENET1K_V2"),
    "resnext50_32x4d": _torchvision("ResNeXt50_32X4D_Weights.IMAGENET1K_V2"),
    "convnextv2_tiny": _timm("convnextv2_tiny.fcmae_ft_in22k_in1k", NONCOMMERCIAL),
    "convnextv2_base": _timm("convnextv2_base.fcmae_ft_in22k_in1k", NONCOMMERCIAL),
    "efficientnetv2_s": _timm("tf_efficientnetv2_s.in21k_ft_in1k", "apache-2.0", image_size=300),
    "dinov2_vits14": _timm("vit_small_patch14_dinov2.lvd142m", "apache-2.0", multiple=14),
    "small_cnn": BackboneName(library="ours", tag=None, image_size=32),
}


def known_backbone(name: str) -> BackboneName:
    """Look up a backbone: one of ours, or any of timm's, with or without its pretrained tag.

    Raises RecipeError with the nearest name.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    if name.split(".")[0] in timm_names():
        return BackboneName(library="timm", tag=name, image_size=None)
    ours = get_close_matches(name, BACKBONES, 1, cutoff=0.8)
    meant = ours[0] if ours else nearest(name, timm_names() or BACKBONES)
    raise RecipeError(
        f"image_classifier: there is no backbone {name!r}",
        fix=f"did you mean {meant!r}? (ours: {', '.join(BACKBONES)}; or a name of timm's)",
    )


@cache
def timm_names() -> frozenset[str]:
    """Read the name of every network that timm can build from its source, without loading it.

    Loading timm loads torch, which takes seconds; this takes 25 ms.
    """
    found = find_spec("timm")
    if found is None or found.origin is None:
        return frozenset()
    registered = re.compile(r"^@register_model\ndef (\w+)", re.MULTILINE)
    sources = (Path(found.origin).parent / "models").glob("*.py")
    return frozenset(name for each in sources for name in registered.findall(each.read_text()))
