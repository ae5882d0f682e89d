from collections.abc import Callable
from dataclasses import replace

from PIL import Image

from objectives.contract import DataSource
from objectives.data.checks.check import check_data
from objectives.data.manifest import read_manifest
from objectives.data.problems import Problem

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
