from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from objectives.contract import DataError, DataSource
from objectives.data.manifest.manifest import read_manifest
from tests.objectives.conftest import write_image
from tests.objectives.data.layouts.tables.tables import write_csv

MakeTree = Callable[..., DataSource]


def written(source: DataSource, path: Path) -> DataSource:
    """Write the places that the images have by themselves, and read the data by them."""
    path.write_text(read_manifest(source).as_csv())
    return replace(source, partition=path)


@pytest.mark.parametrize("folds", [0, 3])
def test_what_was_written_down_stands_whatever_the_seed(
    class_folders: MakeTree, tmp_path: Path, folds: int
) -> None:
    source = replace(class_folders("a", "b", images=20), folds=folds)
    by_file = replace(written(source, tmp_path / "split.csv"), split_seed=7)
    assert read_manifest(by_file).rows == read_manifest(source).rows
    assert read_manifest(replace(source, split_seed=7)).rows != read_manifest(source).rows


@pytest.mark.parametrize(("written_for", "folds"), [(0, 3), (3, 0), (4, 3)])
def test_a_partition_into_other_folds_than_the_studys_is_refused(
    class_folders: MakeTree, tmp_path: Path, written_for: int, folds: int
) -> None:
    source = replace(class_folders("a", "b", images=20), folds=written_for)
    by_file = replace(written(source, tmp_path / "split.csv"), folds=folds)
    with pytest.raises(DataError, match=rf"split\.csv: puts .* and the study has {folds or 'no'}"):
        read_manifest(by_file)


def test_a_split_that_there_is_none_of_is_refused(class_folders: MakeTree, tmp_path: Path) -> None:
    source = class_folders("a", "b", images=20)
    path = tmp_path / "split.csv"
    path.write_text("path,split,fold\na/slide00.tif_0.png,training,0\n")
    with pytest.raises(DataError, match="into 'training', fold 0"):
        read_manifest(replace(source, partition=path))


@pytest.mark.parametrize(
    ("words", "folds"), [(("test",), 0), (("val", "test"), 0), (("val",), 0), (("test",), 3)]
)
def test_a_table_that_gives_train_no_image_is_refused(
    tmp_path: Path, words: tuple[str, ...], folds: int
) -> None:
    rows = [f"{number},{'ab'[number % 2]},{words[number // 2 % len(words)]}" for number in range(8)]
    write_csv(tmp_path / "t.csv", "image,label,split", *rows)
    for number in range(8):
        write_image(tmp_path / f"{number}.png", seed=number)
    layout = {"kind": "table", "table": "t.csv", "label": "label", "split": "split"}
    with pytest.raises(DataError, match=r"all 8 images are given to .*, none to train; give train"):
        read_manifest(DataSource(layout=layout, folder=tmp_path, folds=folds))
