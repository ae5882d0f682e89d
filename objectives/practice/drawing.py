"""One file of a practice set before it is written: what it shows, whose it is, how it is drawn."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image


@dataclass(frozen=True)
class Drawing:
    """A file to be written. path: in the set's folder. group: whose it is, as the layout says it.

    draw: gives the file's contents, the same bytes at every call; None for a file that the set's
    table names and that is not there. row: what the table says of it, None where it says nothing.
    """

    path: str
    label: str
    group: str
    draw: Callable[[], bytes] | None
    row: Mapping[str, str] | None = None


def write_files(drawings: Iterable[Drawing]) -> Iterator[tuple[str, bytes]]:
    """Draw one file after the other and give it with its path."""
    for drawing in drawings:
        if drawing.draw:
            yield drawing.path, drawing.draw()


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Give the image as a file of a kind that Pillow writes: png, jpeg."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
