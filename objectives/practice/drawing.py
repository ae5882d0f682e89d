"""One file of a practice set before it is written: its label, its patient, how it is drawn."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A file of a practice set, to be written.

    draw: returns the contents, the same bytes at every call. None for a missing file that the
    set's table names.
    """

    path: str  # in the set's folder
    label: str
    group: str  # the patient, as the layout names them
    draw: Callable[[], bytes] | None
    row: Mapping[str, str] | None = None  # of the table, by column; None where it has none


def write_files(drawings: Iterable[Drawing]) -> Iterator[tuple[str, bytes]]:
    """Draw one file after the other; yield its path and contents."""
    for drawing in drawings:
        if drawing.draw:
            yield drawing.path, drawing.draw()


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Encode an image as a file of a kind that Pillow writes: png, jpeg."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
