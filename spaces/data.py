"""The declarations of a study's data. They only describe; the objectives read the data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from spaces.declared import check_types
from spaces.errors import StudyError


@dataclass(frozen=True, kw_only=True)
class FileNames:
    r"""Images whose file names hold the label and the group.

    label: a regular expression, matched against the file name; group 1 of the match is the label.
    group: a regular expression, matched against the file names or, where it fits none, against the
        paths, as `r"(pat\d+)/"` is; group 1 of the match is the patient, slide or lesion.
    skip: labels to leave out; their images are counted and shown.
    names: display names of labels.
    page: the page of each file of several pages or frames (TIFF, GIF, DICOM), 1 for the first.
        Without it such files are refused.
    merge_alike: whether groups, and classes, whose names are equal to the eye are one.
    """

    label: str
    group: str | None = None
    skip: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    page: int | None = None
    merge_alike: bool = False

    def __post_init__(self) -> None:
        check_types(self)
        _check_page(self.page)


@dataclass(frozen=True)
class ClassFolders:
    """One folder per class, with or without train, val and test folders above.

    group: a regular expression, matched against the file names or, where it fits none, against the
        paths; group 1 of the match is the patient, slide or lesion.
    page: the page of each file of several pages or frames (TIFF, GIF, DICOM), 1 for the first.
        Without it such files are refused.
    merge_alike: whether groups, and classes, whose names are equal to the eye are one.
    """

    group: str | None = None
    page: int | None = None
    merge_alike: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        check_types(self)
        _check_page(self.page)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Images named by a table (CSV, TSV or XLSX). Columns are called as its header calls them.

    table: the table's path in the data folder; several paths, whose rows are put one below the
        other; or one path per split, `{"train": "Train.xlsx", ...}`. Each row also gets a column
        `table`, unless it has one: the name of its file without the extension.
    path: the column of the image's path or id, with or without its extension, wherever the image
        lies; or a pattern with columns in braces, `"images/{patient}/{image}*"`, in which `*` is
        any text, folders included, `?` one character and `[0-9]` one of these; several patterns
        where a row has several images.
    label: the column of the class.
    label_pattern: a regular expression whose group 1 is the label in that column.
    one_hot: instead of `label`, a column per class. The class is the column with the largest value,
        the first of equals.
    cuts: where to cut a label that is a number into classes, lowest first: (12.0,) makes `<12` and
        `>=12`, (7, 12) makes `<7`, `7-12` and `>=12`.
    group: a column or, as in `path`, a pattern with columns in braces. A row without a group is a
        group of its own, with all its images.
    group_pattern: a regular expression whose group 1 is the group in that column.
    site: the column of the site where an image was taken.
    split: the column of the split; its values are train, val (validation) or test.
    join: further tables, joined on the columns that both have.
    skip: labels to leave out.
    names: display names of labels.
    metadata: column -> "number" or "category", for a network that learns from them beside the
        image; "text", or "file" for the path of a file such as a mask, for code of your own.
    page: the page of each file of several pages or frames (TIFF, GIF, DICOM), 1 for the first.
        Without it such files are refused.
    missing: words for a missing value in any column, such as ("NA", "-9999"); () where every word
        is a value. By default NA, NaN and null are missing, in metadata UNK and unknown, too, and
        such a word among the labels is an error (C13). An empty cell is always missing.
    merge_alike: whether groups, classes, sites and categories whose names are equal to the eye,
        such as P07 and p 7, are one.
    encoding: of the text files that are not in Unicode, such as "cp1252".
    sep: the character between the columns of a text file, where it is in doubt.
    sheet: the sheet of a workbook, where several may be meant.
    skip_rows: the number of lines above the header, where two rows may be it.
    """

    table: str | tuple[str, ...] | Mapping[str, str] = field(kw_only=False)
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
    page: int | None = None
    missing: tuple[str, ...] | None = None
    merge_alike: bool = False
    encoding: str | None = None
    sep: str | None = None
    sheet: str | None = None
    skip_rows: int | None = None

    def __post_init__(self) -> None:
        check_types(self)
        _check_page(self.page)
        if self.sep is not None and len(self.sep) != 1:
            raise StudyError(f"Table: sep={self.sep!r} is not one character", "give it one")
        if self.encoding is not None:
            _check_encoding(self.encoding)
        if self.skip_rows is not None and self.skip_rows < 0:
            raise StudyError(f"Table: skip_rows={self.skip_rows} is below 0", "count the lines")
        if not self.table:
            raise StudyError("Table: table names no file", "give it the table's path")
        labels = {self.label, *self.one_hot}
        images = (self.path,) if isinstance(self.path, str) else self.path
        for column, kind in self.metadata.items():
            if kind == "file" and column in images:
                raise StudyError(f"Table: metadata {column!r} is the image", "leave it out")
            if column in labels:
                raise StudyError(f"Table: metadata {column!r} is the label", "leave it out")
            if kind not in ("number", "category", "text", "file"):
                raise StudyError(
                    f"Table: metadata {column!r} is {kind!r}", "number, category, text or file"
                )
        if (self.label is None) == (not self.one_hot):
            raise StudyError("Table: give it a label column, or one_hot columns, and not both")
        if self.label is None and (self.cuts or self.label_pattern):
            raise StudyError("Table: cuts and label_pattern read a label column", "name it")
        if list(self.cuts) != sorted(set(self.cuts)):
            raise StudyError(f"Table: cuts={self.cuts!r} do not rise", "give the lowest first")
        if self.group is None and self.group_pattern:
            raise StudyError("Table: group_pattern reads a group column", "name it")


@dataclass(frozen=True)
class Cifar10:
    """CIFAR-10's Python pickles, `cifar-10-batches-py/`; the test batch stays unopened."""


@dataclass(frozen=True)
class Brats:
    """A BraTS tree: `HGG/` and `LGG/`, a folder per patient, a NIfTI file per modality.

    The patient is the group; the site is a part of the patient's id.

    modalities: the modalities to read, in the order of the network's channels.
    """

    modalities: tuple[str, ...] = ("flair", "t1", "t1ce", "t2")

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True)
class Digits:
    """scikit-learn's 1,797 scanned digits, which come with the package."""


@dataclass(frozen=True)
class NoData:
    """No data, for an objective that needs none (the toy curve)."""


def _check_page(page: int | None) -> None:
    if page is not None and page < 1:
        raise StudyError(f"page={page} is not a page", "the first page is 1")


def _check_encoding(name: str) -> None:
    try:
        " ".encode(name)
    except (LookupError, UnicodeError) as error:
        raise StudyError(f"Table: encoding={name!r} is unknown", "cp1252 is one") from error


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
    return kind_needs_folder(kind_of(data))


def kind_needs_folder(kind: str) -> bool:
    """Say whether data of this kind lie in a folder that the user must name; True if unknown."""
    return KINDS.get(kind) not in (Digits, NoData)


def kind_of(data: Data) -> str:
    """Return the word for this kind of declaration in JSON; StudyError for anything else."""
    for kind, declared in KINDS.items():
        if type(data) is declared:
            return kind
    names = ", ".join(declared.__name__ for declared in KINDS.values())
    raise StudyError(f"data={data!r} is not a data declaration", f"use one of {names}")
