import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from objectives.data.manifest.manifest import Manifest, read_manifest
from objectives.practice.make import make_practice
from tests.objectives.data.practice_layouts import practice_source

NAME = re.compile(r"(Anemic|Non-anemic)/\1-\d{3}-[LR]\.png")


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The anemia practice set at its usual size."""
    folder = tmp_path_factory.mktemp("anemia")
    make_practice("anemia", folder)
    return folder


@pytest.fixture(scope="module")
def manifest(practice: Path) -> Manifest:
    return read_manifest(practice_source("anemia", practice))


def test_photographs_of_both_eyes_lie_in_class_folders(manifest: Manifest) -> None:
    assert all(NAME.fullmatch(row.path) for row in manifest.rows)
    assert Counter(row.label for row in manifest.rows) == {"Anemic": 144, "Non-anemic": 96}
    eyes = Counter(Counter(row.group for row in manifest.rows).values())
    assert set(eyes) == {1, 2}
    assert eyes[2] > 50


def test_neither_site_tells_the_label(practice: Path, manifest: Manifest) -> None:
    sizes = {row.path: read(practice / row.path).shape for row in manifest.rows}
    assert set(sizes.values()) == {(72, 96, 3), (84, 84, 3)}
    shares = [
        np.mean([sizes[row.path] == (84, 84, 3) for row in manifest.rows if row.label == label])
        for label in manifest.classes
    ]
    assert abs(shares[0] - shares[1]) < 0.2


def test_redness_tells_but_only_against_the_light_of_the_visit(
    practice: Path, manifest: Manifest
) -> None:
    def redness(path: str, rows: slice) -> float:
        pixels = read(practice / path).astype(float)
        height, width, _ = pixels.shape
        red, green, _ = pixels[
            int(rows.start * height) : int(rows.stop * height), width // 3 : 2 * width // 3
        ].mean((0, 1))
        return red / green

    is_pale = np.array([row.label == "Anemic" for row in manifest.rows])
    strip = np.array([redness(row.path, slice(0.62, 0.72)) for row in manifest.rows])
    white = np.array([redness(row.path, slice(0.45, 0.52)) for row in manifest.rows])

    def accuracy(values: np.ndarray) -> float:
        return max(float(np.mean((values < cut) == is_pale)) for cut in values)

    assert accuracy(strip) < accuracy(strip / white) < 0.98
    assert accuracy(strip) > 0.65
