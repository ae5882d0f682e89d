"""A folder with images and a table that a test writes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.objectives.conftest import write_image
from tests.objectives.data.layouts.tables.tables import HEADER, write_csv

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write t.csv from its lines, and the images a.png, b.png and so on, one per given letter."""

    def write(*lines: str, header: str = HEADER, images: str = "abc") -> Path:
        write_csv(tmp_path / "t.csv", header, *lines)
        for name in images:
            write_image(tmp_path / f"{name}.png")
        return tmp_path

    return write
