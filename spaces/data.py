"""How a study declares its data. Declarations only: reading is the objective's business."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from spaces.errors import StudyError


@dataclass(frozen=True)
class FileNames:
    """Label and group stand in each file's name.

    label, group: regular expressions searched in the file name; group 1 of the match counts.
    skip: labels to leave out (they are counted and shown). names: what a label is called.
    """

    label: str
    group: str | None = None
    skip: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ClassFolders:
    """One folder per class, with or without train, val and test folders above.

    group: a regular expression searched in the file name; group 1 of the match counts.
    """

    group: str | None = None


@dataclass(frozen=True)
class Digits:
    """scikit-learn's 1,797 scanned digits; they come with the package."""


@dataclass(frozen=True)
class NoData:
    """The objective needs none (the toy curve)."""


Data = FileNames | ClassFolders | Digits | NoData

KINDS: dict[str, type[Data]] = {
    "file_names": FileNames,
    "class_folders": ClassFolders,
    "digits": Digits,
    "none": NoData,
}


def needs_folder(data: Data) -> bool:
    """Say whether the data lie in a folder that the user must name."""
    return isinstance(data, FileNames | ClassFolders)


def kind_of(data: Data) -> str:
    """Give the word that stands for this kind of declaration in JSON."""
    for kind, declared in KINDS.items():
        if type(data) is declared:
            return kind
    raise StudyError(f"data={data!r} is no data declaration; use one of {_class_names()}")


def _class_names() -> str:
    return ", ".join(declared.__name__ for declared in KINDS.values())
