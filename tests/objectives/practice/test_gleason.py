import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from objectives.contract import DataSource
from objectives.data.manifest.manifest import read_manifest
from objectives.practice.make import make_practice

REAL_NAME = re.compile(r"\d{6}-\d{6}_\d{2}_\d{8}-multires\.tif_\d+_\d+_\d+_\d+_[0-5]\.png")


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gleason practice set at its usual size."""
    folder = tmp_path_factory.mktemp("practice")
    make_practice("gleason", folder)
    return folder


@pytest.fixture
def source(practice: Path, gleason: DataSource) -> DataSource:
    return replace(gleason, folder=practice)


def test_files_are_named_as_the_real_ones(practice: Path) -> None:
    names = [path.name for path in practice.iterdir() if path.name != "practice.json"]
    assert len(names) == 560
    assert all(REAL_NAME.fullmatch(name) for name in names)


def test_it_has_the_published_imbalance_and_the_labels_to_skip(source: DataSource) -> None:
    summary = read_manifest(source).summary
    totals: Counter[str] = Counter()
    for counts in summary.counts.values():
        totals.update(counts)
    assert summary.is_practice
    assert totals["Gleason 5-Single Cells"] / totals.total() == pytest.approx(0.015, abs=0.002)
    assert max(totals, key=totals.__getitem__) == "Gleason 3"
    assert set(summary.left_out) == {
        "with the skipped label 'Gleason 5-Secretions'",
        "with the skipped label 'Gleason 5'",
    }
    assert 380 < sum(summary.counts["train"].values()) < 420


def test_every_seed_splits_it_with_the_rare_class_everywhere(source: DataSource) -> None:
    for seed in range(20):
        summary = read_manifest(replace(source, split_seed=seed)).summary
        assert all(counts["Gleason 5-Single Cells"] for counts in summary.counts.values())
        assert min(summary.groups.values()) >= 5


def test_a_stain_tells_its_slide_so_that_an_image_split_would_leak(source: DataSource) -> None:
    rows = read_manifest(source).rows
    slides = [row.group for row in rows]
    assert source.folder is not None
    colours = np.array(
        [np.asarray(Image.open(source.folder / row.path)).mean((0, 1)) for row in rows]
    )
    distances = np.linalg.norm(colours[:, None] - colours, axis=2) + np.diag([np.inf] * len(rows))
    same = [slides[row] == slides[near] for row, near in enumerate(distances.argmin(axis=1))]
    assert np.mean(same) > 5 / 60
