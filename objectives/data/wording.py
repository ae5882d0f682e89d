"""Phrases that the messages of several rules share."""

from collections.abc import Iterable, Sequence


def some(names: Sequence[str], most: int = 3) -> str:
    """Name the first few and say how many more there are."""
    shown = ", ".join(names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")


def counted(count: int, noun: str) -> str:
    """Return "1 image" or "1,200 images"."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


# Of a phrase that follows a number: what the plural is for one thing.
_ONE = {
    "archives with": "archive with",
    "backup copies of images that are not here": "backup copy of an image that is not here",
    "backup copies": "backup copy",
    "columns that are": "column that is",
    "DICOM files, each": "DICOM file,",
    "downloads": "download",
    "empty files": "empty file",
    "hidden images": "hidden image",
    "lines above": "line above",
    "masks beside their images": "mask beside its image",
    "other files": "other file",
    "other volumes": "other volume",
    "pictures": "picture",
    "pipes and devices": "pipe or device",
    "segmentations": "segmentation",
    "sheets that are": "sheet that is",
}


def counted_phrase(count: int, plural: str) -> str:
    """Return "1 line above the header" or "2 lines above the header".

    plural: a phrase that follows a number over 1.
    """
    if count == 1:
        for many, one in _ONE.items():
            if many in plural:
                return f"1 {plural.replace(many, one, 1)}"
    return f"{count:,} {plural}"


def listed(words: Iterable[str]) -> str:
    """Return "a", "a and b" or "a, b and c", each word once, sorted."""
    once = sorted(set(words))
    return " and ".join([", ".join(once[:-1]), once[-1]] if len(once) > 1 else once)


def holds(count: int) -> str:
    """Return "holds" for 1 and "hold" for any other count."""
    return "holds" if count == 1 else "hold"


def have(count: int) -> str:
    """Return "has" for 1 and "have" for any other count."""
    return "has" if count == 1 else "have"


def are(count: int) -> str:
    """Return "is" for 1 and "are" for any other count."""
    return "is" if count == 1 else "are"


def percent_points(share: float) -> str:
    """Return a half-width, a share from 0 to 1, as "+-0.6 pt" or "+-12 pt"."""
    points = 100 * share
    return f"+-{points:.1f} pt" if points < 2 else f"+-{points:.0f} pt"
