"""The hyperparameters of how much is computed at once, on how much data, how exactly."""

from dataclasses import dataclass

from objectives.recipe.fields import Recipe, choice, toggle, whole


@dataclass(frozen=True)
class Computing(Recipe):
    """Samples of the data, parts of a batch, precision."""

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
