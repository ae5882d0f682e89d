"""The images of a study, as a script reads them."""

import json
from pathlib import Path

import pytest

from objectives.contract import Attempt, DataSource
from objectives.data.manifest.listed import list_data, with_manifest
from objectives.data.manifest.manifest import NOTHING
from objectives.script.failures import ScriptFailed
from tests.objectives.script.conftest import Place

COUNT = """
from search.script import trial

for epoch in range(1, trial.folds + 1):
    train, val = (trial.rows(split, fold=epoch) for split in ("train", "val"))
    assert all(row.path.is_file() for row in train + val)
    assert {row.split for row in val} == {"val"} and {row.fold for row in val} == {epoch}
    assert not {row.group for row in train} & {row.group for row in val}
    trial.report(epoch, train=len(train), val=len(val))
"""


@pytest.fixture
def data(gleason: DataSource) -> DataSource:
    """Ten slides in two folds."""
    return list_data(
        DataSource(layout=gleason.layout, folder=gleason.folder, folds=2, has_test=False)
    )


def test_a_script_gets_the_rows_that_a_generator_gets(place: Place, data: DataSource) -> None:
    place.write("train.py", COUNT)
    attempt = Attempt(folder=place.attempt.folder, data=data)

    epochs = place.having(data=data).values("python", "train.py")

    assert epochs == [
        (fold, {split: float(len(attempt.rows(split, fold))) for split in ("train", "val")})
        for fold in (1, 2)
    ]


def test_the_file_has_a_line_per_image(place: Place, data: DataSource) -> None:
    place.write("train.sh", 'echo "{\\"epoch\\": 1, \\"a\\": $(wc -l < $1)}" >> "$SEARCH_REPORT"')
    here, folder = place.having(data=data), place.attempt.folder

    epochs = here.values("bash", "train.sh", "{folder}/rows.jsonl")

    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    assert epochs == [(1, {"a": len(rows)})]
    told = json.loads((folder / "trial.json").read_text())
    assert (told["rows"], told["folds"]) == (str(folder / "rows.jsonl"), 2)
    stored = list_data(data).manifest.rows
    assert [Path(row["path"]).name for row in rows] == [Path(each.path).name for each in stored]
    assert [(row["fold"], row["group"], row["columns"]) for row in rows] == [
        (each.fold, each.group, {}) for each in stored
    ]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("'test'", r"'test' is sealed during a search \(C14\); read the rows of 'train' and 'val'"),
        ("'valid'", "the split 'valid' is unknown; read the rows of 'train' and 'val'"),
        ("'val', fold=3", "there is no fold 3; give one from 1 to 2"),
    ],
)
def test_a_script_is_refused_what_the_study_does_not_open(
    place: Place, data: DataSource, asked: str, said: str
) -> None:
    place.write("train.py", f"from search.script import trial; trial.rows({asked})")

    with pytest.raises(ScriptFailed, match=said):
        place.having(data=data).values("python", "train.py")


def test_a_script_of_a_study_without_data_is_told_so(place: Place) -> None:
    place.write("train.py", "from search.script import trial; trial.rows('train')")
    data = with_manifest(DataSource(layout={"kind": "none"}), NOTHING)

    with pytest.raises(ScriptFailed, match=r"declares no data.*; declare them in the study file"):
        place.having(data=data).values("python", "train.py")
