from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from objectives.contract import DataSource
from objectives.data.checks.check import check_data
from objectives.data.manifest.manifest import read_manifest
from objectives.data.problems import Problem

Problems = Callable[[DataSource], dict[str, Problem]]


def move(source: DataSource, old: str, new: str) -> None:
    assert source.folder is not None
    (source.folder / old).rename(source.folder / new)


def test_a_group_in_two_splits_is_named_with_all_its_images(
    tree: DataSource, problems: Problems
) -> None:
    move(tree, "train/benign/p3_6.png", "val/benign/p3_6.png")
    found = problems(tree)["C01"]
    assert found.can_fix
    assert found.paths == ("train/malignant/p3_7.png", "val/benign/p3_6.png")
    assert "'p3' for example in train and val" in found.message


@pytest.mark.parametrize(
    ("group", "says"),
    [(None, "no group is declared"), (r"^(p\d+_\d+)\.", "no two images share one")],
)
def test_images_that_all_stand_alone_are_warned_of(
    tree: DataSource, problems: Problems, group: str | None, says: str
) -> None:
    found = problems(replace(tree, layout={**tree.layout, "group": group}))
    assert found["C01"].level == "warn"
    assert says in found["C01"].message


def test_digits_that_have_no_patients_are_not_warned_of_them(problems: Problems) -> None:
    assert "C01" not in problems(DataSource(layout={"kind": "digits"}))


def test_a_group_in_two_folds_is_a_leak(tree: DataSource) -> None:
    folded = replace(tree, folds=3)
    manifest = read_manifest(folded)
    torn = manifest.rows[0]._replace(fold=manifest.rows[0].fold % 3 + 1)
    found = check_data(folded, replace(manifest, rows=(torn, *manifest.rows[1:])))
    assert [each.rule for each in found if each.level == "error"] == ["C01"]


def test_carved_folds_leak_nothing(tree: DataSource, problems: Problems) -> None:
    assert set(problems(replace(tree, folds=3))) <= {"C10"}


def test_images_that_a_partition_does_not_place_are_named_and_those_that_are_gone(
    tree: DataSource, tmp_path: Path
) -> None:
    rows = read_manifest(tree).rows
    lines = [f"{row.path},{row.split}" for row in rows[1:]]
    partition = tmp_path / "split.csv"
    partition.write_text("\n".join(["path,split", *lines, "gone.png,val"]))
    placed = replace(tree, partition=partition)
    found = [each for each in check_data(placed, read_manifest(placed)) if each.rule == "C04"]
    assert [each.paths for each in found] == [(rows[0].path,), ("gone.png",)]
    assert all(each.can_fix for each in found)
