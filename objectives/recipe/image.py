"""Every hyperparameter of the image classifier: type, range, default, source, when it acts."""

from dataclasses import dataclass
from typing import ClassVar

from objectives.fields import choice, toggle, whole
from objectives.recipe.balancing import Balancing, check_balancing
from objectives.recipe.network import Network, check_network
from objectives.recipe.optimization import Optimization, check_optimization


@dataclass(frozen=True)
class ImageRecipe(Optimization, Balancing, Network):
    """How to train one image classifier. A range is what is accepted, not what is sensible."""

    objective: ClassVar[str] = "image_classifier"

    max_train_samples: int = whole(
        0,
        0,
        100_000_000,
        "Train on so many images, drawn by the study's seed, classes in proportion; 0 is all.",
        unit="images",
    )
    max_val_samples: int = whole(0, 0, 100_000_000, "The same for validation.", unit="images")
    micro_batch: int = whole(
        0,
        0,
        4096,
        "Images passed at once, gradients adding up to the batch; 0: as many as memory holds.",
        unit="images",
    )
    precision: str = choice(
        "auto",
        ("auto", "float32", "bfloat16"),
        "What the backbone computes in; auto is bfloat16 on a GPU that has it, else float32.",
    )
    deterministic: bool = toggle(
        True, "The same bits every time on one device class; costs speed on a GPU only."
    )
    compile: bool = toggle(
        False, "Let torch.compile fuse the network's kernels: minutes once, then faster steps."
    )

    def __post_init__(self) -> None:
        check_network(self)
        check_balancing(self)
        check_optimization(self)
