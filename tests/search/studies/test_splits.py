"""A study's splits on their way: to a file here, through an export and back."""

import random
from pathlib import Path
from typing import Any

import pytest

from objectives.data.manifest.partition import Place, read_partition
from search.studies.splits import pack, places_in, unpack, write_partition
from spaces.errors import StudyError

PLACES = [("b.png", "train", "2"), ("a.png", "train", "1"), ("c, d.png", "test", "0")]
PATHS = ["c, d.png", "a.png", "b.png"]


def test_splits_and_folds_come_back_as_they_went_into_an_export() -> None:
    assert unpack(pack(PLACES), PATHS) == sorted(PLACES)


def test_the_splits_of_56000_images_stay_a_part_of_a_page() -> None:
    draw = random.Random(0)
    kinds = draw.choices(("train", "val", "test"), (5, 1, 1), k=56_000)
    packed = pack((f"{number:06}.png", kind, "0") for number, kind in enumerate(kinds))

    assert len(packed["of_sorted_paths"]) < 20_000


@pytest.mark.parametrize(
    "damage",
    [
        {"of_sorted_paths": "?"},
        {"of_sorted_paths": "AAAA"},
        {"of_sorted_paths": 3},
        {"places": []},
        {"places": [["train"]]},
        {"places": None},
    ],
)
def test_splits_that_were_damaged_are_one_line_with_the_fix(damage: dict[str, Any]) -> None:
    with pytest.raises(StudyError, match=r"cannot be read .*; export the trial again"):
        unpack(pack(PLACES) | damage, PATHS)


def test_more_images_than_a_trial_was_trained_on_are_refused() -> None:
    with pytest.raises(StudyError, match=r"trained on 3 images and here are 4; give .* --data"):
        unpack(pack(PLACES), [*PATHS, "e.png"])


def test_a_column_of_metadata_called_split_is_not_taken_for_the_split() -> None:
    table = (
        "path,label,class_index,group,site,split,fold,sha1,split\na.png,x,0,a,,val,0,1,posterior\n"
    )

    assert places_in(table) == [("a.png", "val", "0")]


@pytest.mark.parametrize("name", ["Icon\r.png", "two\nlines.png", "a,b.png", 'the "b".png'])
def test_odd_names_come_back_out_of_a_partition(tmp_path: Path, name: str) -> None:
    file = write_partition(tmp_path / "partition.csv", [(name, "val", "0")])

    assert places_in(file.read_bytes().decode()) == [(name, "val", "0")]
    assert read_partition(file) == {name: Place("val")}


def test_a_partition_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    file = write_partition(tmp_path / "new" / "partition.csv", PLACES)
    first = file.stat().st_mtime_ns

    assert write_partition(file, PLACES).stat().st_mtime_ns == first
    assert [path.name for path in file.parent.iterdir()] == ["partition.csv"]
