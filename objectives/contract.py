"""The types between an objective and its caller; no torch, no trials, no databases."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

# The files that a finished attempt leaves in its folder, beside its checkpoints.
BEST_WEIGHTS = "best.pt"
BEST_LOGITS = "best_logits.npz"
LEARNING_CURVES = "learning_curves.csv"
CONFUSION_MATRIX = "confusion_matrix.csv"
PER_CLASS = "per_class.csv"
GROUPS = "groups.csv"
SUMMARY_PICTURE = "summary.png"
OUTPUT_LOG = "output.log"  # of an author's script, its beginning and its end
# The small ones, kept of every trial.
RECORDS = (SUMMARY_PICTURE, LEARNING_CURVES, CONFUSION_MATRIX, PER_CLASS, GROUPS, BEST_LOGITS)

# The metrics that others than the objective compute with.
RULER, TRAIN_LOSS, MICRO_BATCH = "val_loss", "train_loss", "micro_batch"
BALANCED_ACCURACY, MACRO_AUC = "val_balanced_accuracy", "val_macro_auc"
# The ends of a metric's 95 % interval are metrics with these endings.
LOW, HIGH = "_low", "_high"
# Reported with each epoch where the study has folds: the position in them.
FOLD, FOLD_EPOCH, FOLDS_DONE = "fold", "fold_epoch", "folds_done"
# A metric with this ending is a time, so a repeated epoch reports another value.
CLOCK_ENDING = "_s"


# spaces, objectives and storage do not import each other: each has this class of its own.
class UserError(Exception):
    """An error that a user can fix; its text is one line, `found; fix`.

    found: the fault and its place.
    fix: the next step, the last clause of the line; empty where `found` ends with it.
    """

    def __init__(self, found: str, fix: str = "") -> None:
        super().__init__(found, fix)  # both, so that a copy made by pickle has both
        self.found, self.fix = found, fix

    def __str__(self) -> str:
        return f"{self.found}; {self.fix}" if self.fix else self.found


class DataError(UserError):
    """Data that cannot be used as it is."""


class RecipeError(UserError):
    """A configuration that cannot be trained; `found` names the hyperparameter."""


class ContractError(UserError):
    """Training code that does not keep the contract of an objective."""


class OutOfMemory(Exception):
    """Not even the fewest images that may pass at once fit into the device's memory."""


# Messages of errors that have no class for lack of memory: in the output of another process, the
# host's allocator, oneDNN without room for a kernel, and CUDA and its libraries where they allocate
# without torch.
_MEMORY_WORDS = (
    "OutOfMemoryError",
    "CUDA out of memory",
    "MemoryError",
    "std::bad_alloc",
    "Cannot allocate memory",
    "DefaultCPUAllocator",
    "not enough memory",
    "could not create a primitive",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an exception is about lack of memory, of a GPU or of the host."""
    # torch's own class is known by its name: torch is not imported here.
    if isinstance(error, OutOfMemory | MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and says_out_of_memory(str(error))


def says_out_of_memory(text: str) -> bool:
    """Return whether the text of an error, or the output of a program, is about lack of memory."""
    return any(word in text for word in _MEMORY_WORDS)


@dataclass(frozen=True, kw_only=True)
class Row:
    """An image of a study, as an author's own code gets it.

    path: the absolute path of its file on this machine, or of the folder that holds the files of a
        patient. Images that are no files of their own (the digits, CIFAR-10) have their name here.
    class_index: the position of the label among the study's classes.
    group: the patient, slide or lesion.
    split: "train" or "val".
    fold: the fold in which the image is validated on, from 1 on; None where there are no folds.
    columns: the columns that the study declares as `metadata`; None for a missing value, and the
        absolute path for a column of files.
    """

    path: Path
    label: str
    class_index: int
    group: str
    split: str
    fold: int | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """The place of the data on this machine, and the study's declaration of how to read them.

    layout: the study's data declaration as a plain mapping, `{"kind": "file_names", "label": ...}`.
    folder: None for data that come with a package (the digits).
    split_seed: the study's seed; every machine carves the same splits from it.
    folds: the number of folds of training and validation images; 0 is one split.
    has_test: whether a test split is carved where the data have none.
    partition: a CSV file with `path,split,fold` that replaces given and carved splits: the study's
        own table of splits, or the file that `search check --fix` wrote; None without one.
    """

    layout: Mapping[str, Any]
    folder: Path | None = None
    split_seed: int = 0
    folds: int = 0
    has_test: bool = True
    partition: Path | None = None

    def rows(self, split: str, fold: int = 1) -> Sequence[Row]:
        """Return the images of a split; a source that is not listed yet has none to return."""
        raise DataError(
            "the images of this data source are not listed",
            "hand the attempt `list_data(source)` of objectives.data.manifest.listed",
        )


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One process that tries one trial: the facts of this machine and moment, not of the study.

    folder: receives the files of this attempt (checkpoints, artifacts); it exists.
    seed: of the trial.
    resume_from: a checkpoint file of this trial to continue from, or None; for an author's own code
        the folder of an earlier attempt in which it left files.
    earlier: the folders of the earlier attempts at this trial, in order; one that was made on
        another machine is not there.
    device: a torch device string, "cpu" or "cuda"; a worker sees one GPU at most.
    threads: intra-op CPU threads; their number changes the bits of a result.
    cache: a folder for decoded images, shared by the machine's workers, or None.
    splits: the splits that may be opened; opening another one raises.
    progress: called at every optimizer step and validation batch; without it the lease expires.
    check: called while nothing moves; raises when the attempt must end, and is no progress.
    """

    folder: Path
    data: DataSource
    seed: int = 0
    resume_from: Path | None = None
    earlier: tuple[Path, ...] = ()
    device: str = "cpu"
    threads: int = 1
    cache: Path | None = None
    splits: tuple[str, ...] = ("train", "val")
    progress: Callable[[], None] = field(default=lambda: None)
    check: Callable[[], None] = field(default=lambda: None)

    @property
    def folds(self) -> int:
        """The number of folds that a trial trains one after another; 0 where there is one split."""
        return self.data.folds

    def rows(self, split: str, fold: int = 1) -> Sequence[Row]:
        """Return the images of a split, in the order of the study's manifest.

        Raises DataError for a split that is sealed or unknown, and in a study without data.

        fold: the one to validate on, where the study has folds; train is then all others.
        """
        if split not in self.splits:
            opened = " and ".join(map(repr, self.splits))
            is_sealed = split in ("train", "val", "test")
            found = "is sealed during a search (C14)" if is_sealed else "is unknown"
            raise DataError(f"the split {split!r} {found}", f"read the rows of {opened}")
        return self.data.rows(split, fold)


@dataclass(frozen=True, kw_only=True)
class EpochResult:
    """The numbers of one finished epoch. Epoch 1 is the first finished one.

    metrics: metric name -> value, e.g. `{"val_loss": 0.41, "val_top1": 0.87}`.
    seconds: wall time of this epoch, training and validation; of an author's own code, 0 is
        measured.
    images: training images seen in it.
    """

    epoch: int
    metrics: Mapping[str, float]
    seconds: float = 0.0
    images: int = 0


@dataclass(frozen=True, kw_only=True)
class Repeated(EpochResult):
    """An epoch of an earlier attempt, which nobody has trained again."""


class Objective(Protocol):
    """Train one configuration and yield each epoch's result; a caller stops it by asking no more.

    A resumed objective first yields the results in its checkpoint, without training.
    """

    def __call__(self, config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]: ...


@dataclass(frozen=True)
class ObjectiveFields:
    """The hyperparameters and the metrics of an objective, as plain mappings.

    fields: hyperparameter -> {type, low, high, choices, default, unit, source, acts_when, doc}; one
        of an author's own code may have no `default`. None where any hyperparameter may be given.
    metrics: name -> {direction, low, high, exact, is_loss, ranks, changed_by, called,
        doc}:
        high: None when there is no bound.
        exact: the same configuration and seed give the same value again (a time never does).
        is_loss: it shows a divergence (the ruler saturates, these do not).
        ranks: its value in each epoch says how good the epoch is.
        changed_by: the hyperparameters that turn it into another measure.
        called: other words for it, without "val".
        For an author's own code they are those that mean the same everywhere; it may report others.
    deterministic: whether the same configuration and seed give the same numbers again.
    """

    fields: Mapping[str, Mapping[str, Any]] | None
    metrics: Mapping[str, Mapping[str, Any]]
    deterministic: bool = True


# An objective that comes with the package by its name; another by its description, see
# `objectives.own.describe`.
ObjectiveKey: TypeAlias = str | Mapping[str, Any]
