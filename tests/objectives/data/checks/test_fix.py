import csv
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from objectives.contract import DataError, DataSource
from objectives.data.checks.check import check_data
from objectives.data.checks.fix import Mended, mend
from objectives.data.layouts.folder import read_folder
from objectives.data.manifest.manifest import Manifest, read_manifest
from tests.objectives.conftest import write_image

GROUP = r"^(p\d+)_"


@pytest.fixture
def source(class_folders: Callable[..., DataSource], tmp_path: Path) -> DataSource:
    """Given splits of two classes, ten images of five patients in each."""
    folder = tmp_path / "data"
    for number in range(60):
        split, label = ("train", "val", "test")[number // 20], "ab"[number % 2]
        path = folder / split / label / f"p{number // 4}_{number:02d}.png"
        write_image(path, (24, 24), seed=number)
    return DataSource(layout={"kind": "class_folders", "group": GROUP}, folder=folder)


def file(source: DataSource, path: str) -> Path:
    assert source.folder is not None
    return source.folder / path


def mended(source: DataSource, tmp_path: Path) -> tuple[Mended, DataSource]:
    """Write a partition and give how to read the data by it."""
    manifest = read_manifest(source)
    change = mend(source, manifest, check_data(source, manifest), tmp_path / "split.csv")
    return change, replace(source, partition=change.path)


def fixable(source: DataSource) -> set[str]:
    return {each.rule for each in check_data(source, read_manifest(source)) if each.can_fix}


def places(manifest: Manifest) -> dict[str, str]:
    return {row.path: row.split for row in manifest.rows}


def leak(source: DataSource) -> None:
    file(source, "train/a/p0_00.png").rename(file(source, "val/a/p0_00.png"))


def copy_in_another_split(source: DataSource) -> None:
    shutil.copy(file(source, "train/a/p1_04.png"), file(source, "test/a/p900_0.png"))


def mirrored_copy(source: DataSource) -> None:
    image = Image.open(file(source, "train/a/p1_04.png"))
    ImageOps.mirror(image).save(file(source, "test/a/p900_0.png"))


def copy_with_another_label(source: DataSource) -> None:
    shutil.copy(file(source, "train/a/p1_04.png"), file(source, "test/b/p900_0.png"))


def broken(source: DataSource) -> None:
    file(source, "train/a/p0_00.png").write_bytes(b"")


def huge(source: DataSource) -> None:
    Image.new("1", (10_001, 10_000)).save(file(source, "train/a/p900_0.png"))


def hidden(source: DataSource) -> None:
    image = Image.open(file(source, "train/a/p1_04.png")).convert("RGBA")
    image.putalpha(0)
    image.save(file(source, "train/a/p1_04.png"))


DIRT = {
    "C01": leak,
    "C02": copy_in_another_split,
    "C03": mirrored_copy,
    "C05": broken,
    "C12": huge,
    "C19": hidden,
}


@pytest.mark.parametrize("rule", DIRT)
@pytest.mark.parametrize("folds", [0, 3])
def test_after_the_fix_nothing_fixable_is_left(
    source: DataSource, tmp_path: Path, rule: str, folds: int
) -> None:
    DIRT[rule](source)
    source = replace(source, folds=folds)
    found = fixable(source)
    assert found == {rule} or folds  # carved folds heal a leak, and may heal a copy
    _, fixed = mended(source, tmp_path)
    assert fixable(fixed) == set()


def test_all_dirt_at_once_is_mended(source: DataSource, tmp_path: Path) -> None:
    for spoil in (leak, mirrored_copy, huge):
        spoil(source)
    shutil.copy(file(source, "train/b/p1_05.png"), file(source, "val/a/p901_0.png"))
    file(source, "train/b/p2_09.png").write_bytes(b"")
    assert fixable(source) == {"C01", "C02", "C03", "C05", "C12"}
    change, fixed = mended(source, tmp_path)
    assert fixable(fixed) == set()
    assert change.excluded == 4
    assert change.is_new_split


def test_no_image_is_touched(source: DataSource, tmp_path: Path) -> None:
    leak(source)
    assert source.folder is not None
    before = read_folder(source.folder).images
    mended(source, tmp_path)
    assert read_folder(source.folder).images == before


def test_what_leaving_out_mends_moves_nothing_else(source: DataSource, tmp_path: Path) -> None:
    broken(source)
    copy_with_another_label(source)
    before = places(read_manifest(source))
    change, fixed = mended(source, tmp_path)
    after = places(read_manifest(fixed))
    assert (change.moved, change.excluded, change.is_new_split) == (0, 3, False)
    assert {after[path] for path in after if after[path] != before[path]} == {"excluded"}


def test_a_split_that_would_lose_a_class_is_carved_anew(source: DataSource, tmp_path: Path) -> None:
    for path in file(source, "val/a").iterdir():
        path.write_bytes(b"")
    change, fixed = mended(source, tmp_path)
    assert (change.excluded, change.is_new_split) == (10, True)
    counts = read_manifest(fixed).summary.counts
    assert all(counts[split][label] for split in counts for label in "ab")


def test_a_class_without_a_good_image_is_refused(source: DataSource, tmp_path: Path) -> None:
    assert source.folder is not None
    for path in source.folder.glob("*/a/*.png"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match="leaves no image of a; fetch its images again"):
        mended(source, tmp_path)


def test_groups_that_share_an_image_stay_together(source: DataSource, tmp_path: Path) -> None:
    mirrored_copy(source)
    change, fixed = mended(source, tmp_path)
    manifest = read_manifest(fixed)
    assert change.joined == 2
    assert len({row.split for row in manifest.rows if row.group in ("p1", "p900")}) == 1


def test_copies_among_too_many_groups_go_instead(source: DataSource, tmp_path: Path) -> None:
    for number in range(1, 12):
        copy = f"{'train/a' if number % 2 else 'test/a'}/p{number}_9.png"
        shutil.copy(file(source, "train/a/p0_00.png"), file(source, copy))
    change, fixed = mended(source, tmp_path)
    assert (change.joined, change.excluded) == (0, 11)
    assert fixable(fixed) == set()
    assert len(read_manifest(fixed).split("train")) > 30


def test_the_file_says_why(source: DataSource, tmp_path: Path) -> None:
    for spoil in (mirrored_copy, huge):
        spoil(source)
    change, _ = mended(source, tmp_path)
    with change.path.open(newline="") as table:
        why = {row["path"]: row["why"] for row in csv.DictReader(table)}
    assert why["train/a/p900_0.png"] == "over 100 megapixels"
    assert why["test/a/p900_0.png"] == "with p1"
    assert why["val/a/p5_20.png"] == ""


def test_the_same_seed_mends_alike_and_another_one_not(source: DataSource, tmp_path: Path) -> None:
    leak(source)
    texts = []
    for seed in (1, 1, 2):
        change, _ = mended(replace(source, split_seed=seed), tmp_path)
        texts.append(change.path.read_text())
    assert texts[0] == texts[1] != texts[2]


def test_what_a_partition_excludes_stays_so(source: DataSource, tmp_path: Path) -> None:
    broken(source)
    _, fixed = mended(source, tmp_path)
    mirrored_copy(source)  # an image that the partition does not know: C04
    _, again = mended(fixed, tmp_path)
    after = places(read_manifest(again))
    assert after["train/a/p0_00.png"] == "excluded"
    assert after["test/a/p900_0.png"] in ("train", "val", "test")


def test_a_split_that_cannot_be_carved_leaves_the_old_file(
    source: DataSource, tmp_path: Path
) -> None:
    leak(source)
    for path in (tmp_path / "data").rglob("b/*.png"):
        if not path.name.startswith(("p0_", "p5_", "p10_")):
            path.unlink()
    file(source, "val/b/p5_21.png").rename(file(source, "val/b/p0_21.png"))
    for path in (tmp_path / "data").rglob("b/p5_*.png"):
        path.rename(path.with_name(path.name.replace("p5_", "p0_")))
    (tmp_path / "split.csv").write_text("old")
    with pytest.raises(DataError, match="only 2 groups"):
        mended(source, tmp_path)
    assert (tmp_path / "split.csv").read_text() == "old"
