"""How a study declares its data. Declarations only: reading is the objective's business."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from spaces.errors import StudyError


@dataclass(frozen=True)
class FileNames:
    r"""Label and group stand in each file's name.

    label, group: regular expressions searched in the file name; group 1 of the match counts. A
    group that is not in the name is searched in the path, `r"(pat\d+)/"`.
    skip: labels to leave out (they are counted and shown). names: what a label is called.
    """

    label: str
    group: str | None = None
    skip: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ClassFolders:
    """One folder per class, with or without train, val and test folders above.

    group: a regular expression searched in the file name, else in the path; group 1 of the match
    counts.
    """

    group: str | None = None


@dataclass(frozen=True)
class Table:
    """A table (CSV, TSV or XLSX) names the images; columns are called as its header calls them.

    table: its path in the data folder; several that are read one below the other; or one per split,
    `{"train": "Train.xlsx", ...}`. Each row also gets a column `table`, unless it has one: the
    name of its file without the extension.
    path: the column of the image's path or id, with or without its extension, wherever the image
    lies; or a pattern with columns in braces, `"images/{patient}/{image}*"`, in which `*` is any
    text, folders included, `?` one character and `[0-9]` one of these; several paths where a row
    has several images.
    label: the column of the class; or one_hot: a column per class, of which the largest counts, of
    equals the first; label_pattern: a regular expression whose group 1 is the label in the column.
    cuts: where a label that is a number is cut into classes, lowest first: (12.0,) makes `<12` and
    `>=12`, (7, 12) makes `<7`, `7-12` and `>=12`.
    group: a column or, like a path, a pattern with columns in braces; group_pattern: a regular
    expression whose group 1 is the group in it. A row without one is a group of its own, with all
    its images.
    site, split: columns; what a split column may say is train, val (validation) or test.
    join: further tables, joined on the columns that both have. skip: labels to leave out.
    names: what a label is called. metadata: column -> "number" or "category", what a network may
    learn from beside the image; an empty cell, NA, NaN, null, UNK and unknown are missing values.
    """

    table: str | tuple[str, ...] | Mapping[str, str]
    path: str | tuple[str, ...] = "image"
    label: str | None = None
    label_pattern: str | None = None
    one_hot: tuple[str, ...] = ()
    cuts: tuple[float, ...] = ()
    group: str | None = None
    group_pattern: str | None = None
    site: str | None = None
    split: str | None = None
    join: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if told := {self.label, *self.one_hot} & {*self.metadata}:
            raise StudyError(f"Table: metadata {min(map(str, told))!r} is the label; leave it out")
        if (self.label is None) == (not self.one_hot):
            raise StudyError("Table: give it a label column, or one_hot columns, and not both")
        if self.label is None and (self.cuts or self.label_pattern):
            raise StudyError("Table: cuts and label_pattern read a label column; name it")
        if list(self.cuts) != sorted(set(self.cuts)):
            raise StudyError(f"Table: cuts={self.cuts!r} do not rise; give the lowest first")
        if self.group is None and self.group_pattern:
            raise StudyError("Table: group_pattern reads a group column; name it")
        for column, kind in self.metadata.items():
            if kind not in ("number", "category"):
                raise StudyError(f"Table: metadata {column!r} is {kind!r}; number or category")


@dataclass(frozen=True)
class Cifar10:
    """CIFAR-10's python pickles, `cifar-10-batches-py/`; its test batch stays unopened."""


@dataclass(frozen=True)
class Brats:
    """A BraTS tree: `HGG/` and `LGG/`, a folder per patient, a NIfTI file per modality.

    modalities: which are read, in the order of the network's channels. The patient is the group;
    the site stands in the id.
    """

    modalities: tuple[str, ...] = ("flair", "t1", "t1ce", "t2")


@dataclass(frozen=True)
class Digits:
    """scikit-learn's 1,797 scanned digits; they come with the package."""


@dataclass(frozen=True)
class NoData:
    """The objective needs none (the toy curve)."""


Data = FileNames | ClassFolders | Table | Cifar10 | Brats | Digits | NoData

KINDS: dict[str, type[Data]] = {
    "file_names": FileNames,
    "class_folders": ClassFolders,
    "table": Table,
    "cifar10": Cifar10,
    "brats": Brats,
    "digits": Digits,
    "none": NoData,
}


def needs_folder(data: Data) -> bool:
    """Say whether the data lie in a folder that the user must name."""
    return not isinstance(data, Digits | NoData)


def kind_needs_folder(kind: str) -> bool:
    """Whether data of this kind lie in a folder; an unknown kind is taken to need one."""
    return KINDS.get(kind) not in (Digits, NoData)


def kind_of(data: Data) -> str:
    """Give the word that stands for this kind of declaration in JSON."""
    for kind, declared in KINDS.items():
        if type(data) is declared:
            return kind
    raise StudyError(f"data={data!r} is no data declaration; use one of {_class_names()}")


def _class_names() -> str:
    return ", ".join(declared.__name__ for declared in KINDS.values())
