"""Every hyperparameter of every objective: type, range, default, unit, source, when it acts."""

from dataclasses import dataclass
from typing import ClassVar

from objectives.contract import RecipeError
from objectives.fields import Recipe, choice, number, toggle, whole


@dataclass(frozen=True)
class ImageRecipe(Recipe):
    """How to train one image classifier. A range is what is accepted, not what is sensible."""

    objective: ClassVar[str] = "image_classifier"

    backbone: str = choice(
        "resnet18",
        ("resnet18", "resnet34", "resnet50", "small_cnn"),
        "The network that turns an image into features.",
        source="ResNets: He et al. 2016, arXiv:1512.03385, as torchvision builds them",
    )
    weights: str = choice(
        "none",
        ("none", "imagenet"),
        "Where the backbone starts: random, or trained on ImageNet (resnet50: V2, others: V1).",
        source="torchvision's weights enums",
    )
    stem: str = choice(
        "standard",
        ("standard", "small"),
        "The first layers: 7x7 stride 2 and a max-pool, or one 3x3 of stride 1 for tiny images "
        "(small_cnn has only its own).",
        source="small: He et al. 2016, section 4.2; 9 times dearer at 32 px",
    )
    image_size: int = whole(224, 16, 1024, "Side of the square the network sees.", unit="px")
    augmentation: str = choice(
        "light",
        ("none", "shift", "light"),
        "What is done to a training image: moved a little (shift), flipped and recoloured as well "
        "(light).",
    )
    optimizer: str = choice(
        "adamw",
        ("adamw",),
        "How gradients become steps; norms and biases are free of weight decay.",
        source="Loshchilov and Hutter 2019, arXiv:1711.05101",
    )
    learning_rate: float = number(
        1e-4, 1e-8, 10.0, "The highest learning rate, reached at the end of the warm-up."
    )
    weight_decay: float = number(0.01, 0.0, 1.0, "AdamW's decoupled weight decay.")
    batch_size: int = whole(32, 2, 4096, "Images per optimizer step, at most.", unit="images")
    epochs: int = whole(10, 1, 1000, "Passes over the training split.", unit="epochs")
    warmup_epochs: int = whole(
        1,
        0,
        100,
        "Epochs in which the learning rate rises, step by step; a cosine to zero follows.",
        unit="epochs",
        source="cosine: Loshchilov and Hutter 2017, arXiv:1608.03983",
    )
    label_smoothing: float = number(
        0.0,
        0.0,
        0.5,
        "Share of the target that is spread over all classes; not defined with ldam.",
        source="Szegedy et al. 2016, arXiv:1512.00567",
        acts_when={"ldam": False},
    )
    ldam: bool = toggle(
        False,
        "Margins that grow with rarity, on a cosine head.",
        source="Cao et al. 2019, arXiv:1906.07413",
    )
    ldam_max_margin: float = number(
        0.5,
        0.0,
        1.0,
        "The rarest class's margin.",
        unit="cosine",
        source="Cao et al. 2019, their code",
        acts_when={"ldam": True},
    )
    ldam_scale: float = number(
        30.0,
        1.0,
        100.0,
        "What cosines are multiplied by to become logits.",
        source="Cao et al. 2019, their code (s)",
        acts_when={"ldam": True},
    )
    weighted_sampler: bool = toggle(
        False, "Draw training images so that every class comes up equally often."
    )
    patience: int = whole(
        0,
        0,
        1000,
        "Epochs without a better val_loss before training ends; 0 is never.",
        unit="epochs",
    )
    precision: str = choice(
        "auto",
        ("auto", "float32", "bfloat16"),
        "What the backbone computes in; auto is bfloat16 on a GPU that has it, else float32.",
    )
    deterministic: bool = toggle(
        True, "The same bits every time on one device class; costs speed on a GPU only."
    )

    def __post_init__(self) -> None:
        if self.ldam and self.label_smoothing:
            raise RecipeError(
                "image_classifier: ldam is not defined with label_smoothing "
                f"{self.label_smoothing}; set label_smoothing to 0 or ldam to false"
            )
        if self.weights == "imagenet" and (self.backbone == "small_cnn" or self.stem == "small"):
            raise RecipeError(
                f"image_classifier: {self.backbone} with the {self.stem} stem has no imagenet "
                "weights; set weights to none, or take a resnet with the standard stem"
            )
        _leave_room_after_warmup(self)


@dataclass(frozen=True)
class ToyRecipe(Recipe):
    """A training curve without a network, for tests and demos."""

    objective: ClassVar[str] = "toy_curve"

    learning_rate: float = number(1e-2, 1e-8, 10.0, "Best near 0.01; worse the further away.")
    epochs: int = whole(10, 1, 100_000, "Length of the curve.", unit="epochs")
    warmup_epochs: int = whole(0, 0, 100, "Epochs in which progress is halved.", unit="epochs")
    noise: float = number(0.01, 0.0, 1.0, "Standard deviation of each epoch's val_loss.")
    seconds_per_epoch: float = number(
        0.0, 0.0, 3600.0, "How long an epoch pretends to work.", unit="s"
    )
    fail_at: int = whole(0, 0, 100_000, "The epoch in which an exception is raised; 0 is never.")
    diverge_at: int = whole(0, 0, 100_000, "The epoch from which val_loss is NaN; 0 is never.")

    def __post_init__(self) -> None:
        _leave_room_after_warmup(self)


def _leave_room_after_warmup(recipe: ImageRecipe | ToyRecipe) -> None:
    if recipe.warmup_epochs >= recipe.epochs:
        raise RecipeError(
            f"{recipe.objective}: {recipe.warmup_epochs} warmup_epochs leave nothing of "
            f"{recipe.epochs} epochs; set warmup_epochs to {recipe.epochs - 1} or less"
        )
