"""The recipe of the volume classifier."""

from dataclasses import dataclass
from typing import ClassVar

from objectives.contract import RecipeError
from objectives.recipe.balancing import check_balancing
from objectives.recipe.classifier import ClassifierRecipe
from objectives.recipe.fields import Recipe, choice, name, toggle, whole
from objectives.recipe.network import is_path
from objectives.recipe.optimization import check_optimization

VOLUME_BACKBONES = (
    "resnet10_3d_quarter",
    "resnet10_3d",
    "resnet18_3d",
    "resnet34_3d",
    "resnet50_3d",
)


@dataclass(frozen=True, kw_only=True)
class Volumes(Recipe):
    """Backbone and volumes."""

    backbone: str = choice(
        "resnet50_3d",
        VOLUME_BACKBONES,
        "The 3-D ResNet that turns a volume into features; the first has a quarter of the channels "
        "and is for practice on a CPU.",
        source="He et al. 2016, arXiv:1512.03385, in 3-D as MONAI and MedicalNet build it",
    )
    weights: str = name(
        "none",
        ("none",),
        "Where the backbone starts: at random, or from the file at this path, such as "
        "MedicalNet's.",
        source="MedicalNet: Chen et al. 2019, arXiv:1904.00625",
    )
    dilated: bool = toggle(
        False,
        "Let the last two stages look wider instead of halving the side, as MedicalNet was trained "
        "for segmentation; takes longer, and without it the features of its weights differ by "
        "45 %.",
        source="MedicalNet: Chen et al. 2019, arXiv:1904.00625",
    )
    image_size: int = whole(
        96, 16, 256, "Side of the cube that holds the bounding box of the brain.", unit="voxels"
    )
    augmentation: str = choice(
        "conservative",
        ("none", "conservative"),
        "How training volumes are changed: conservative turns them by up to 10 degrees about each "
        "axis, scales and shifts them by up to 8 %, and mirrors every other one left to right.",
    )


@dataclass(frozen=True, kw_only=True)
class VolumeRecipe(ClassifierRecipe, Volumes):
    """How to train one volume classifier. A range holds every accepted value, sensible or not."""

    objective: ClassVar[str] = "volume_classifier"

    def __post_init__(self) -> None:
        if self.weights != "none" and not is_path(self.weights):
            raise RecipeError(
                f"volume_classifier: weights is {self.weights!r}",
                fix="give it none or the path of a weights file, such as MedicalNet's "
                "resnet_50_23dataset.pth",
            )
        check_balancing(self)
        check_optimization(self)
