from collections.abc import Callable
from dataclasses import replace

import pytest
from scipy.stats import binomtest

from objectives.contract import DataSource
from objectives.data.checks.check import check_data
from objectives.data.checks.sizes import half_width
from objectives.data.manifest.manifest import read_manifest
from objectives.data.problems import Problem

Problems = Callable[[DataSource], dict[str, Problem]]


def test_a_class_of_29_validation_images_is_reported_with_its_half_width(
    tree: DataSource, problems: Problems
) -> None:
    assert tree.folder is not None
    next((tree.folder / "val" / "benign").iterdir()).unlink()
    found = problems(tree)
    assert set(found) == {"C10"}
    assert "benign has 29 in val (+-11 pt)" in found["C10"].message


def test_the_smallest_fold_counts(tree: DataSource, problems: Problems) -> None:
    folded = replace(tree, folds=6)
    manifest = read_manifest(folded)
    fewest = min(
        sum(row.label == "benign" for row in manifest.split("val", fold)) for fold in range(1, 7)
    )
    assert f"benign has {fewest} in val" in problems(folded)["C10"].message


def test_the_resolution_names_each_split_and_its_rarest_class(tree: DataSource) -> None:
    told = next(each for each in check_data(tree, read_manifest(tree)) if each.rule == "S01")
    assert told.level == "info"
    assert "val +-8 pt overall, +-11 pt on benign; test +-8 pt overall" in told.message


@pytest.mark.parametrize("images", [10, 30, 120, 9000])
def test_the_half_width_is_wilsons(images: int) -> None:
    interval = binomtest(images * 9 // 10, images).proportion_ci(method="wilson")
    assert half_width(images) == pytest.approx((interval.high - interval.low) / 2, rel=1e-6)
