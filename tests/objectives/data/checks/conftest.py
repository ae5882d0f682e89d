"""A small tree that breaks no rule, for tests to break one."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from objectives.contract import DataSource
from objectives.data.checks.check import check_data
from objectives.data.manifest.manifest import read_manifest
from objectives.data.problems import Problem

LAYOUT = {"kind": "class_folders", "group": r"^(p\d+)_"}
IMAGES = 30  # of each class in each split: one fewer is told by C10


def photograph(seed: int, size: tuple[int, int] = (40, 40)) -> Image.Image:
    """Draw soft shapes under grain."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (5, 5, 3), dtype=np.uint8))
    soft = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC))
    grain = random.normal(0, 3, (*size[::-1], 1))
    return Image.fromarray((soft + grain).clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="session")
def clean_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three splits of two classes, two images per patient, whole patients."""
    folder = tmp_path_factory.mktemp("clean")
    for number in range(6 * IMAGES):
        split = ("train", "val", "test")[number // (2 * IMAGES)]
        path = folder / split / ("benign", "malignant")[number % 2] / f"p{number // 2}_{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        photograph(number).save(path)
    return folder


@pytest.fixture
def tree(clean_tree: Path, tmp_path: Path) -> DataSource:
    """The clean tree, to be spoilt."""
    return DataSource(layout=LAYOUT, folder=shutil.copytree(clean_tree, tmp_path / "tree"))


@pytest.fixture
def problems() -> Callable[[DataSource], dict[str, Problem]]:
    """Find the problems of the data, by rule; mere information is left out."""

    def check(source: DataSource) -> dict[str, Problem]:
        found = check_data(source, read_manifest(source))
        return {each.rule: each for each in found if each.level != "info"}

    return check
