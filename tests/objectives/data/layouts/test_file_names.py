from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from objectives.contract import DataSource
from objectives.data.layouts.file_names import FileNames
from tests.objectives.conftest import write_image
from tests.objectives.data.left_out import numbers


def test_the_gleason_export_reads_to_its_counts(gleason: DataSource) -> None:
    listing = FileNames(gleason).find_images()
    assert Counter(each.label for each in listing.found) == {
        "Benign": 20,
        "Gleason 3": 20,
        "Gleason 4": 20,
        "Gleason 5-Single Cells": 20,
    }
    assert numbers(listing.left_out) == {
        "with the skipped label 'Gleason 5-Secretions'": 10,
        "with the skipped label 'Gleason 5'": 10,
    }
    assert len({each.group for each in listing.found}) == 10
    assert not listing.problems


def test_classes_keep_the_order_of_their_numbers(gleason: DataSource) -> None:
    assert gleason.folder is not None
    for path in gleason.folder.glob("*_3.png"):
        path.rename(path.with_name(path.name.replace("_3.png", "_10.png")))
    layout = {**gleason.layout, "label": r"_(\d+)\.png$", "names": {}, "skip": []}
    assert FileNames(replace(gleason, layout=layout)).find_images().classes == (*"01245", "10")


def test_names_that_collide_by_case_are_named(gleason: DataSource) -> None:
    names = {"0": "benign", "1": "Benign", "2": "Gleason 4", "3": "Gleason 5"}
    listing = FileNames(replace(gleason, layout={**gleason.layout, "names": names})).find_images()
    assert [problem.rule for problem in listing.problems] == ["C09"]


@pytest.mark.parametrize("spelling", ["04", "4\u200b"])
def test_a_label_to_skip_that_the_names_spell_otherwise_is_told(
    tmp_path: Path, spelling: str
) -> None:
    for number, label in enumerate(("0", "1", spelling, "4")):
        write_image(tmp_path / f"{number}_{label}.png", seed=number)
    layout = {"kind": "file_names", "label": r"_(.+)\.png$", "skip": ["4"]}
    (problem,) = FileNames(DataSource(layout=layout, folder=tmp_path)).find_images().problems
    assert (problem.rule, problem.level) == ("C09", "error")
    assert f"says '4', and the data {spelling!a}" in problem.message


def test_labels_and_groups_that_are_equal_to_the_eye_are_one_where_the_study_says_so(
    tmp_path: Path,
) -> None:
    for number, name in enumerate(("p1_0", "P01_0.0", "p2_1")):
        write_image(tmp_path / f"{name}.png", seed=number)
    layout = {"kind": "file_names", "label": r"_(.+)\.png$", "group": r"^(.+?)_"}
    apart = FileNames(DataSource(layout=layout, folder=tmp_path)).find_images()
    one = FileNames(
        DataSource(layout={**layout, "merge_alike": True}, folder=tmp_path)
    ).find_images()
    assert [each.rule for each in apart.problems] == ["C09", "C17"]
    assert (one.classes, {each.group for each in one.found}) == (("0", "1"), {"P01", "p2"})
    assert not one.problems
