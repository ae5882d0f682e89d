"""The manifest's rows as an author's own code gets them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from objectives.contract import Attempt, DataError, DataSource
from objectives.data.manifest.listed import list_data, with_manifest
from objectives.data.manifest.manifest import NOTHING
from tests.objectives.conftest import write_image
from tests.objectives.data.layouts.tables.tables import write_csv

TABLE: dict[str, Any] = {"kind": "table", "table": "t.csv", "label": "dx", "group": "patient"}
SIX = "abcdef"


def attempt_at(source: DataSource, folder: Path) -> Attempt:
    """Begin an attempt on listed data."""
    return Attempt(folder=folder, data=list_data(source))


def test_rows_are_those_of_the_manifest_with_paths_of_this_machine(
    gleason: DataSource, tmp_path: Path
) -> None:
    listed = list_data(gleason)
    attempt = Attempt(folder=tmp_path, data=listed)

    for split in ("train", "val"):
        rows, stored = attempt.rows(split), listed.manifest.split(split)
        assert [str(row.path.relative_to(tmp_path / "gleason")) for row in rows] == [
            each.path for each in stored
        ]
        assert all(row.path.is_file() and row.path.is_absolute() for row in rows)
        assert [(row.label, row.class_index, row.group) for row in rows] == [
            (each.label, each.class_index, each.group) for each in stored
        ]
        assert {(row.split, row.fold) for row in rows} == {(split, None)}
    groups = [{row.group for row in attempt.rows(split)} for split in ("train", "val")]
    assert not groups[0] & groups[1]


def test_each_fold_is_validated_on_once(gleason: DataSource, tmp_path: Path) -> None:
    attempt = attempt_at(replace(gleason, folds=3, has_test=False), tmp_path)

    folds = [{row.path for row in attempt.rows("val", fold=fold)} for fold in (1, 2, 3)]

    assert {row.fold for row in attempt.rows("val", fold=2)} == {2}
    assert {row.fold for row in attempt.rows("train", fold=2)} == {1, 3}
    assert {row.split for row in attempt.rows("val", fold=2)} == {"val"}
    assert set.union(*folds) == {
        row.path for split in ("train", "val") for row in attempt.rows(split)
    }
    assert sum(map(len, folds)) == len(set.union(*folds))
    with pytest.raises(DataError, match="there is no fold 4; give one from 1 to 3"):
        attempt.rows("val", fold=4)


@pytest.mark.parametrize(
    ("split", "fold", "said"),
    [
        ("test", 1, r"'test' is sealed during a search \(C14\); read the rows of 'train' and"),
        ("validation", 1, "the split 'validation' is unknown; read the rows of 'train' and 'val'"),
        ("train", 2, "there is no fold 2; leave it out: the study has no folds"),
    ],
)
def test_what_a_study_does_not_open_is_refused(
    class_folders: Callable[..., DataSource], tmp_path: Path, split: str, fold: int, said: str
) -> None:
    attempt = attempt_at(class_folders("a", "b"), tmp_path)

    with pytest.raises(DataError, match=said):
        attempt.rows(split, fold)


def test_a_study_without_data_has_no_rows(tmp_path: Path) -> None:
    data = with_manifest(DataSource(layout={"kind": "none"}), NOTHING)

    with pytest.raises(DataError, match=r"declares no data.*; declare them in the study file"):
        Attempt(folder=tmp_path, data=data).rows("train")


def test_columns_of_a_table_come_along_with_the_whole_path_of_a_file(tmp_path: Path) -> None:
    for name in SIX:
        write_image(tmp_path / f"{name}.png")
        write_image(tmp_path / "masks" / f"{name}.png")
    lines = [
        f"{SIX[at]}.png,{'xy'[at % 2]},{SIX[at]},masks/{SIX[at]}.png,{at}.5," for at in range(6)
    ]
    write_csv(tmp_path / "t.csv", "image,dx,patient,mask,age,note", *lines)
    metadata = {"mask": "file", "age": "number", "note": "text"}
    source = DataSource(layout={**TABLE, "metadata": metadata}, folder=tmp_path, has_test=False)
    attempt = attempt_at(source, tmp_path)

    rows = [row for split in ("train", "val") for row in attempt.rows(split)]

    assert len(rows) == len(SIX)
    for row in rows:
        mask = str(tmp_path / "masks" / f"{row.group}.png")
        age = SIX.index(row.group) + 0.5
        assert row.columns == {"mask": mask, "age": age, "note": None}
