import csv
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from objectives.contract import DataSource
from objectives.data.checks.check import check_data
from objectives.data.layouts.readers import LAYOUTS
from objectives.data.manifest.manifest import read_manifest
from objectives.data.problems import Problem

Problems = Callable[[DataSource], dict[str, Problem]]


def test_a_clean_tree_breaks_no_rule(tree: DataSource, problems: Problems) -> None:
    assert problems(tree) == {}


def test_the_digits_break_no_rule_but_have_few_images_of_a_digit(problems: Problems) -> None:
    assert list(problems(DataSource(layout={"kind": "digits"}))) == ["C10"]


def test_errors_come_first_and_then_the_order_of_ids(tree: DataSource) -> None:
    assert tree.folder is not None
    first, second = sorted((tree.folder / "val" / "benign").iterdir())[:2]
    first.write_bytes(b"")  # C05, and C10: one image less
    (tree.folder / "train" / "benign" / second.name).write_bytes(second.read_bytes())  # C01, C02
    found = [each.rule for each in check_data(tree, read_manifest(tree))]
    assert found == ["C01", "C02", "C05", "S01"]


def test_every_error_and_warning_ends_with_its_fix(tree: DataSource, problems: Problems) -> None:
    assert tree.folder is not None
    for path in sorted((tree.folder / "val" / "benign").iterdir()):
        path.write_bytes(b"")
    for problem in problems(tree).values():
        assert "; " in problem.message
        assert not problem.message.endswith(".")


def test_what_is_excluded_breaks_no_rule(
    tree: DataSource, problems: Problems, tmp_path: Path
) -> None:
    assert tree.folder is not None
    broken = tree.folder / "train" / "benign" / "p0_0.png"
    broken.write_bytes(b"")
    with (tmp_path / "split.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "split", "fold"))
        for row in read_manifest(tree).rows:
            is_broken = tree.folder / row.path == broken
            writer.writerow((row.path, "excluded" if is_broken else row.split, 0))
    assert "C05" in problems(tree)
    assert problems(replace(tree, partition=tmp_path / "split.csv")) == {}


def test_reading_checking_and_drawing_practice_load_no_torch() -> None:
    readers = ", ".join(sorted({reader.split(":")[0] for reader in LAYOUTS.values()}))
    code = (
        f"import sys, {readers}, objectives.practice.make;"
        "from objectives.contract import DataSource;"
        "from objectives.data.checks.check import check_data;"
        "from objectives.data.manifest.manifest import read_manifest;"
        "digits = DataSource(layout={'kind': 'digits'});"
        "assert check_data(digits, read_manifest(digits)); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
