"""Tests of a data source that carries its manifest."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from objectives.contract import DataSource
from objectives.data.layouts.file_names import FileNames
from objectives.data.layouts.listing import Listing
from objectives.data.manifest.listed import list_data, manifest_of
from objectives.data.manifest.manifest import read_manifest


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each time that a folder is listed."""
    counted: list[str] = []
    find_images = FileNames.find_images

    def count(layout: FileNames) -> Listing:
        counted.append("walk")
        return find_images(layout)

    monkeypatch.setattr(FileNames, "find_images", count)
    return counted


def test_a_listed_source_is_not_listed_again(gleason: DataSource, walks: list[str]) -> None:
    listed = list_data(gleason)
    assert manifest_of(listed) is listed.manifest
    assert walks == ["walk"]
    assert listed.manifest == read_manifest(gleason)


def test_recorded_splits_take_one_walk_too(
    gleason: DataSource, tmp_path: Path, walks: list[str]
) -> None:
    def all_in_train(paths: Sequence[str]) -> Path:
        rows = "".join(f"{path},train,0\n" for path in paths)
        (tmp_path / "splits.csv").write_text(f"path,split,fold\n{rows}")
        return tmp_path / "splits.csv"

    listed = list_data(gleason, partition_for=all_in_train)
    assert walks == ["walk"]
    assert listed.partition == tmp_path / "splits.csv"
    assert {row.split for row in listed.manifest.rows} == {"train"}
