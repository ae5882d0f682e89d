import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from objectives.contract import DataError, DataSource
from objectives.data.manifest import read_manifest
from objectives.data.practice.make import make_practice

REAL_NAME = re.compile(r"\d{6}-\d{6}_\d{2}_\d{8}-multires\.tif_\d+_\d+_\d+_\d+_[0-5]\.png")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


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
    assert set(summary.skipped) == {"Gleason 5-Secretions", "Gleason 5"}
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


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(tmp_path: Path) -> None:
    for folder, seed in (("a", 4), ("b", 4), ("c", 5)):
        make_practice("gleason", tmp_path / folder, images=100, seed=seed)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert not set(contents(tmp_path / "a")) & set(contents(tmp_path / "c")) - {"practice.json"}


def test_an_interrupted_make_is_refused_by_readers_and_finished_by_the_next(
    tmp_path: Path, gleason: DataSource
) -> None:
    def stop(done: int, total: int) -> None:
        if done == total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_practice("gleason", tmp_path / "a", images=100, progress=stop)
    with pytest.raises(DataError, match="making was interrupted"):
        read_manifest(replace(gleason, folder=tmp_path / "a"))
    make_practice("gleason", tmp_path / "a", images=100)
    make_practice("gleason", tmp_path / "b", images=100)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_whole_set_is_left_as_it_is(tmp_path: Path) -> None:
    calls: list[int] = []
    for _ in range(2):
        make_practice("gleason", tmp_path, 100, progress=lambda done, _: calls.append(done))
    assert calls == list(range(1, 101))


def test_another_set_in_the_folder_is_an_error(tmp_path: Path) -> None:
    make_practice("gleason", tmp_path, images=100)
    with pytest.raises(DataError, match=r"holds another practice set, .*; choose another folder"):
        make_practice("gleason", tmp_path, images=100, seed=1)


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match="not empty and no practice set; choose an empty folder"):
        make_practice("gleason", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_study_without_a_practice_set_and_too_few_images_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no practice set is drawn for 'digits'"):
        make_practice("digits", tmp_path)
    with pytest.raises(DataError, match="ask for 100 or more"):
        make_practice("gleason", tmp_path, images=12)
