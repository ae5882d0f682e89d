from collections import Counter
from dataclasses import replace

from objectives.contract import DataSource
from objectives.data.layouts.file_names import FileNames
from tests.objectives.data.left_out import numbers


def test_the_gleason_export_reads_to_its_counts(gleason: DataSource) -> None:
    listing = FileNames(gleason).find_images()
    assert Counter(each.label for each in listing.found) == {
        "Benign": 20,
        "Gleason 3": 20,
        "Gleason 4": 20,
        "Gleason 5-Single Cells": 20,
    }
    assert numbers(listing.left_out) == {"Gleason 5-Secretions": 10, "Gleason 5": 10}
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
