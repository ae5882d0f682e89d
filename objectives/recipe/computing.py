"""The hyperparameters of the amount of data, the memory and the precision of a trial."""

from dataclasses import dataclass

from objectives.recipe.fields import Recipe, choice, toggle, whole


@dataclass(frozen=True, kw_only=True)
class Computing(Recipe):
    """Samples of the data, micro-batches, precision."""

    max_train_samples: int = whole(
        0,
        0,
        100_000_000,
        "Train on this many images, classes in proportion, drawn by the study's seed; 0 is all.",
        unit="images",
    )
    max_val_samples: int = whole(
        0, 0, 100_000_000, "The same for validation images.", unit="images"
    )
    micro_batch: int = whole(
        0,
        0,
        4096,
        "Images per forward pass; their gradients add up to the batch. 0 is as many as memory "
        "holds. 1 is refused where BatchNorm learns.",
        unit="images",
    )
    precision: str = choice(
        "auto",
        ("auto", "float32", "bfloat16"),
        "Number format of the backbone; auto is bfloat16 on a GPU that has it, else float32.",
    )
    deterministic: bool = toggle(
        True, "The same bits each time on one kind of device; costs speed on a GPU only."
    )
    compile: bool = toggle(
        False, "Let torch.compile fuse the network's kernels: minutes once, then faster steps."
    )
