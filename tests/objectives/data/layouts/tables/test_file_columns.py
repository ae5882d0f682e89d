"""Columns of text and of files, such as masks, for code of the author's own."""

from dataclasses import replace
from pathlib import Path

import pytest

from objectives.contract import DataSource
from objectives.data.manifest.manifest import Manifest, read_manifest
from tests.objectives.conftest import write_image
from tests.objectives.data.layouts.tables.tables import PLAIN, only, read, write_csv

HEADER = "image,dx,patient,mask"
MASKED = replace(PLAIN, metadata={"mask": "file"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight images in the folder of their masks, named by a table."""
    for at, name in enumerate("abcdefgh"):
        write_image(tmp_path / f"{name}.png", seed=at)
        write_image(tmp_path / f"{name}_mask.png", seed=100 + at)
    rows = [f"{name},{'xy'[at % 2]},{name},{name}_mask.png" for at, name in enumerate("abcdefgh")]
    write_csv(tmp_path / "t.csv", HEADER, *rows)
    return tmp_path


def manifest_of(folder: Path) -> Manifest:
    """Read the manifest of the table with its masks."""
    layout = {"kind": "table", "table": "t.csv", "label": "dx", "group": "patient"}
    declared = {**layout, "metadata": dict(MASKED.metadata)}
    return read_manifest(DataSource(layout=declared, folder=folder))


def test_files_that_a_column_names_are_no_images_without_a_row(folder: Path) -> None:
    assert only(read(folder, PLAIN)).message.startswith("t.csv: 8 images, for example 'a_mask.png'")

    listing = read(folder, MASKED)

    assert not listing.problems
    assert [each.metadata for each in listing.found] == [(f"{n}_mask.png",) for n in "abcdefgh"]


def test_a_file_that_lies_elsewhere_is_found_by_the_end_of_its_path(folder: Path) -> None:
    table = (folder / "t.csv").read_text()
    (folder / "t.csv").write_text(table.replace("b_mask.png", r"C:\data\masks\b_mask.png"))
    (folder / "masks").mkdir()
    (folder / "b_mask.png").rename(folder / "masks" / "b_mask.png")

    assert read(folder, MASKED).found[1].metadata == ("masks/b_mask.png",)

    write_image(folder / "old" / "masks" / "b_mask.png")
    assert read(folder, MASKED).found[1].metadata == ("masks/b_mask.png",)
    write_image(folder / "masks" / "more" / "b_mask.png")
    (folder / "t.csv").write_text(table.replace(",b_mask.png", ",more/b_mask.png"))
    assert read(folder, MASKED).found[1].metadata == ("masks/more/b_mask.png",)


def test_files_that_are_not_there_are_told(folder: Path) -> None:
    (folder / "c_mask.png").unlink()
    (folder / "d_mask.png").unlink()

    problem = only(read(folder, MASKED))

    assert (problem.rule, problem.level) == ("C04", "error")
    assert problem.message == (
        "column 'mask': there is no file 'c_mask.png' (t.csv line 4), nor 1 more; bring it back,"
        " write the path from the data folder on, or empty the cell"
    )
    assert problem.paths == ("c_mask.png", "d_mask.png")


def test_a_file_of_other_contents_is_other_data(folder: Path) -> None:
    before = manifest_of(folder)
    write_image(folder / "c_mask.png", seed=7)

    after = manifest_of(folder)

    assert before.fingerprint != after.fingerprint
    pairs = zip(before.rows, after.rows, strict=True)
    assert [old.path for old, new in pairs if old.metadata != new.metadata] == ["c.png"]
    assert before.as_csv().splitlines()[0].endswith(",mask,mask sha1")
    assert before.summary.columns == ()
