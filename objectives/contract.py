"""What an objective is given and gives back; nothing here knows torch, trials or databases."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

# The files that a finished attempt leaves in its folder, beside its checkpoints.
BEST_WEIGHTS = "best.pt"
BEST_LOGITS = "best_logits.npz"
LEARNING_CURVES = "learning_curves.csv"
CONFUSION_MATRIX = "confusion_matrix.csv"
PER_CLASS = "per_class.csv"
SUMMARY_PICTURE = "summary.png"
# The small ones, kept of every trial.
RECORDS = (SUMMARY_PICTURE, LEARNING_CURVES, CONFUSION_MATRIX, PER_CLASS, BEST_LOGITS)

# The metrics that others than the objective compute with.
RULER, TRAIN_LOSS, MICRO_BATCH = "val_loss", "train_loss", "micro_batch"
# Reported with each epoch where the study has folds: the position in them.
FOLD, FOLD_EPOCH, FOLDS_DONE = "fold", "fold_epoch", "folds_done"
# A metric with this ending is a time, so a repeated epoch reports another value.
CLOCK_ENDING = "_s"


# spaces, objectives and storage do not import each other: each has this class of its own.
class UserError(Exception):
    """An error that a user can fix; its text is one line, `found; fix`.

    found: the thing that is wrong, and where.
    fix: the next step, the last clause of the line; empty where `found` says it.
    """

    def __init__(self, found: str, fix: str = "") -> None:
        super().__init__(found, fix)  # both, so that a copy made by pickle has both
        self.found, self.fix = found, fix

    def __str__(self) -> str:
        return f"{self.found}; {self.fix}" if self.fix else self.found


class DataError(UserError):
    """The data cannot be used as it is; the message says where and ends with the fix."""


class RecipeError(UserError):
    """A configuration that no recipe takes; the message names the key and ends with the fix."""


class OutOfMemory(Exception):
    """Not even one image at a time fits into the device's memory; the message says what did not."""


# What has no class of its own: the host's allocator, oneDNN without room for a kernel, and CUDA
# and its libraries where torch's allocator was not the one that asked.
_MEMORY_WORDS = (
    *("DefaultCPUAllocator", "not enough memory", "could not create a primitive"),
    *("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED"),
)


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether memory is what an exception is about, a GPU's or the host's."""
    # torch's own class goes by its name: torch is not imported here.
    if isinstance(error, OutOfMemory | MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _MEMORY_WORDS)


@dataclass(frozen=True)
class DataSource:
    """Where this machine keeps the data and how the study says to read it.

    layout: the study's data declaration as a plain mapping, `{"kind": "file_names", "label": ...}`.
    folder: None for data that comes with a package (the digits).
    split_seed: the study's seed; every machine carves the same splits from it.
    folds: how many folds train and validation images are divided into; 0: one split.
    has_test: whether a test split is carved where the data gives none.
    partition: a CSV file with `path,split,fold` that stands instead of given and carved splits:
    the study's own manifest, or what `search check --fix` wrote; None where there is none.
    """

    layout: Mapping[str, Any]
    folder: Path | None = None
    split_seed: int = 0
    folds: int = 0
    has_test: bool = True
    partition: Path | None = None


@dataclass(frozen=True)
class Attempt:
    """One process trying one trial: what is this machine's and this moment's, not the study's.

    folder: where this attempt writes (checkpoints, artifacts); it exists.
    resume_from: a checkpoint file of this trial to continue from, or None.
    device: a torch device string, "cpu" or "cuda"; a worker sees one GPU at most.
    threads: intra-op CPU threads; a part of what makes the bits of a result.
    cache: a folder for decoded images, shared by the machine's workers, or None.
    splits: which splits may be opened; opening another one raises.
    progress: called at every optimizer step and validation batch; the lease lives on it.
    """

    folder: Path
    data: DataSource
    seed: int = 0
    resume_from: Path | None = None
    device: str = "cpu"
    threads: int = 1
    cache: Path | None = None
    splits: tuple[str, ...] = ("train", "val")
    progress: Callable[[], None] = field(default=lambda: None)


@dataclass(frozen=True)
class EpochResult:
    """The numbers of one finished epoch. Epoch 1 is the first finished one.

    metrics: metric name -> value, e.g. `{"val_loss": 0.41, "val_top1": 0.87}`.
    seconds: wall time of this epoch, training and validation. images: training images seen in it.
    """

    epoch: int
    metrics: Mapping[str, float]
    seconds: float
    images: int


class Objective(Protocol):
    """Train one configuration and yield each epoch's result; the caller stops asking to prune.

    A resumed objective yields the results its checkpoint carries first, at no cost.
    """

    def __call__(self, config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]: ...
