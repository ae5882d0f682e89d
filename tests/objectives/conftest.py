"""Mini-trees with the names that real data sets have, and training without its picture."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from objectives import catalog
from objectives.contract import DataSource, RecipeError

GLEASON = {
    "kind": "file_names",
    "label": r"_(\d)\.png$",
    "group": r"^(.+?)\.tif",
    "skip": ["4", "5"],
    "names": {
        "0": "Benign",
        "1": "Gleason 3",
        "2": "Gleason 4",
        "3": "Gleason 5-Single Cells",
        "4": "Gleason 5-Secretions",
        "5": "Gleason 5",
    },
}
FOLDERS = {"kind": "class_folders", "group": None}


def write_image(path: Path, size: tuple[int, int] = (12, 10), seed: int = 0) -> Path:
    """Write a small noise image, making its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def patch_name(slide: int, patch: int, label: int) -> str:
    """Build a file name in the style of the scanner's export."""
    return f"{slide:06d}-000001_01_20180504-multires.tif_{patch}_54662_239_250_{label}.png"


@pytest.fixture
def gleason(tmp_path: Path) -> DataSource:
    """Ten slides with two patches of each of four labels and one of each skipped label."""
    folder = tmp_path / "gleason"
    for slide in range(10):
        for patch, label in enumerate((0, 0, 1, 1, 2, 2, 3, 3, 4, 5)):
            write_image(folder / patch_name(slide, patch, label), seed=100 * slide + patch)
    return DataSource(layout=GLEASON, folder=folder)


@pytest.fixture
def class_folders(tmp_path: Path) -> Callable[..., DataSource]:
    """Make a tree of class folders from the folders' relative paths, eight images in each."""

    def make(*folders: str, images: int = 8, group: str | None = None) -> DataSource:
        for number, folder in enumerate(folders):
            for image in range(images):
                path = tmp_path / "tree" / folder / f"slide{image:02d}.tif_{number}.png"
                write_image(path, seed=100 * number + image)
        return DataSource(layout={**FOLDERS, "group": group}, folder=tmp_path / "tree")

    return make


@pytest.fixture
def no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the picture of a finished trial empty: drawing it takes longer than a small training.

    It is tested in training/records, and drawn by the workers of tests/acceptance.
    """
    from objectives.training.records import picture

    monkeypatch.setattr(picture, "draw_summary", lambda path, *_, **__: path.write_bytes(b""))


@pytest.fixture
def no_child(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Answer what a search asks about networks in this process, which has loaded torch already.

    The child processes that do so are tested in test_catalog.py and models/test_probe.py.
    """
    from objectives.models import probe

    def answer(module: str, question: Mapping[str, Any], purpose: str) -> list[str]:
        code = probe.main(json.loads(json.dumps(question)))
        said = capsys.readouterr()
        if code:
            raise RecipeError(said.err.strip())
        return [said.out]

    monkeypatch.setattr(catalog, "ask", answer)
