from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from objectives.contract import DataSource
from objectives.data.checks.check import check_data
from objectives.data.manifest.manifest import read_manifest
from objectives.data.problems import Problem
from tests.objectives.data.checks.conftest import photograph

Problems = Callable[[DataSource], dict[str, Problem]]


def resave(source: DataSource, label: str, change: Callable[[Image.Image], Image.Image]) -> None:
    assert source.folder is not None
    for path in source.folder.glob(f"*/{label}/*.png"):
        change(Image.open(path)).save(path)


def test_a_size_of_its_own_gives_a_class_away(tree: DataSource, problems: Problems) -> None:
    resave(tree, "malignant", lambda image: image.resize((44, 40)))
    found = problems(tree)
    assert set(found) == {"C11"}
    assert "AUC of 1.00 from width" in found["C11"].message


def test_an_extension_of_its_own_gives_a_class_away(tree: DataSource, problems: Problems) -> None:
    assert tree.folder is not None
    for path in tree.folder.glob("*/malignant/*.png"):
        path.rename(path.with_suffix(".jpeg"))
    assert "from extension (1.00 alone)" in problems(tree)["C11"].message


def test_a_site_gives_a_class_away(tree: DataSource) -> None:
    manifest = read_manifest(tree)
    rows = tuple(
        row._replace(site="TCIA" if row.label == "benign" else "2013") for row in manifest.rows
    )
    found = check_data(tree, replace(manifest, rows=rows))
    assert [each.rule for each in found if each.level == "warn"] == ["C11"]


def test_sizes_that_go_with_no_class_give_nothing_away(
    tree: DataSource, problems: Problems
) -> None:
    for label in ("benign", "malignant"):
        resave(tree, label, lambda image: image.resize((40 + image.getpixel((0, 0))[0] % 9, 40)))
    assert problems(tree) == {}


def test_how_large_a_file_is_gives_nothing_away(tree: DataSource, problems: Problems) -> None:
    resave(tree, "malignant", lambda image: image.quantize(8).convert("RGB"))
    assert problems(tree) == {}


@pytest.mark.parametrize(
    ("images", "group"),
    [(8, r"\.(p)ng$"), (2, r"^(.+)\."), (8, r"^(a\d+|b)")],
    ids=["one group", "fewer images than folds", "a class of one group"],
)
def test_what_is_too_little_to_learn_from_is_no_error(
    tmp_path: Path, images: int, group: str
) -> None:
    for number in range(2 * images):
        for label in "ab":
            path = tmp_path / ("train", "val")[number % 2] / label / f"{label}{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            photograph(number, (40 + number % 3, 40)).save(path)
    source = DataSource(
        layout={"kind": "class_folders", "group": group}, folder=tmp_path, has_test=False
    )
    found = check_data(source, read_manifest(source))
    assert [each.rule for each in found if each.rule in ("C11", "S01")] == ["S01"]
