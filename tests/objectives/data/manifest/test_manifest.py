import csv
import io
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from objectives.contract import DataError, DataSource
from objectives.data.layouts.readers import open_layout
from objectives.data.manifest.manifest import read_manifest
from objectives.data.problems import Undivided
from tests.objectives.conftest import write_image

MakeTree = Callable[..., DataSource]
CLASSES = ("Benign", "Gleason 3", "Gleason 4", "Gleason 5-Single Cells")


def total(source: DataSource, label: str) -> int:
    return sum(counts[label] for counts in read_manifest(source).summary.counts.values())


def rename(source: DataSource, old: str, new: str) -> None:
    assert source.folder is not None
    for path in source.folder.glob(f"*{old}"):
        path.rename(path.with_name(path.name.replace(old, new)))


def test_gleason_names_give_label_and_slide_and_count_what_is_skipped(gleason: DataSource) -> None:
    summary = read_manifest(gleason).summary
    assert summary.classes == CLASSES
    assert [total(gleason, name) for name in CLASSES] == [20, 20, 20, 20]
    assert {reason: count.number for reason, count in summary.left_out.items()} == {
        "with the skipped label 'Gleason 5-Secretions'": 10,
        "with the skipped label 'Gleason 5'": 10,
    }
    assert sum(summary.groups.values()) == 10
    assert not summary.is_practice


def test_the_slide_is_the_text_before_tif(gleason: DataSource) -> None:
    groups = {row.group for row in read_manifest(gleason).rows}
    assert "000003-000001_01_20180504-multires" in groups


def test_patches_of_one_slide_never_part(gleason: DataSource) -> None:
    rows = read_manifest(gleason).rows
    assert len({(row.group, row.split) for row in rows}) == len({row.group for row in rows})


def test_a_nested_tree_of_the_same_names_reads_alike(gleason: DataSource, tmp_path: Path) -> None:
    nested = replace(gleason, folder=tmp_path / "nested")
    assert gleason.folder is not None
    shutil.copytree(gleason.folder, tmp_path / "nested" / "patches" / "batch 1")
    assert read_manifest(nested).summary.counts == read_manifest(gleason).summary.counts


def test_one_folder_per_class_reads_as_the_file_names_do(
    gleason: DataSource, tmp_path: Path
) -> None:
    assert gleason.folder is not None
    names = gleason.layout["names"]
    for path in gleason.folder.iterdir():
        folder = tmp_path / "folders" / names[path.stem[-1]]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / path.name.replace(f"_{path.stem[-1]}.png", ".png"))
    by_folder = read_manifest(replace(gleason, folder=tmp_path / "folders")).summary
    by_name = read_manifest(gleason).summary
    assert (by_folder.counts, set(by_folder.left_out)) == (by_name.counts, set(by_name.left_out))


def test_class_folders_below_split_folders_keep_the_given_split(
    gleason: DataSource, tmp_path: Path
) -> None:
    assert gleason.folder is not None
    splits = ["train"] * 6 + ["val"] * 2 + ["test"] * 2
    for path in gleason.folder.iterdir():
        split, name = splits[int(path.name[:6])], gleason.layout["names"][path.stem[-1]]
        (tmp_path / "tree" / split / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / "tree" / split / name)
    summary = read_manifest(replace(gleason, folder=tmp_path / "tree")).summary
    assert summary.groups == {"train": 6, "val": 2, "test": 2}
    assert summary.counts["val"] == dict.fromkeys(CLASSES, 4)


def test_a_name_and_a_class_folder_that_disagree_are_an_error(gleason: DataSource) -> None:
    assert gleason.folder is not None
    folder = gleason.folder / "Gleason 4"
    folder.mkdir()
    next(gleason.folder.glob("*_1.png")).rename(folder / "000001.tif_1.png")
    with pytest.raises(DataError, match=r"label '1', its folder '2'; move or rename the file$"):
        read_manifest(gleason)


def test_two_labels_of_one_name_are_one_class(gleason: DataSource) -> None:
    names = {"0": "Benign", "1": "Cancer", "2": "Cancer", "3": "Cancer"}
    summary = read_manifest(replace(gleason, layout={**gleason.layout, "names": names})).summary
    assert summary.classes == ("Benign", "Cancer")


def test_files_without_a_label_are_counted(gleason: DataSource) -> None:
    rename(gleason, "_0.png", "_overview.png")
    assert read_manifest(gleason).summary.left_out["without a label in the name"].number == 20


def test_no_label_anywhere_shows_a_file_name(gleason: DataSource) -> None:
    layout = {**gleason.layout, "label": r"_([abc])\.png$", "names": {}}
    with pytest.raises(DataError, match=r"'000000-.*_0.png'; correct the study's label pattern"):
        read_manifest(replace(gleason, layout=layout))


def test_a_file_without_its_group_is_an_error_and_not_a_leak(gleason: DataSource) -> None:
    assert gleason.folder is not None
    path = next(gleason.folder.glob("*_0.png"))
    path.rename(path.with_name("stray_0.png"))
    with pytest.raises(DataError, match=r"1 of 80 files give no group .* 'stray_0.png'"):
        read_manifest(gleason)


@pytest.mark.parametrize(
    ("pattern", "reason"), [("(", "not a regular expression"), (r"\d", "has 0 groups")]
)
def test_a_label_pattern_that_cannot_work_is_an_error(
    gleason: DataSource, pattern: str, reason: str
) -> None:
    with pytest.raises(DataError, match=reason):
        read_manifest(replace(gleason, layout={**gleason.layout, "label": pattern}))


def test_of_data_that_cannot_be_divided_all_problems_of_the_listing_are_told(
    tmp_path: Path,
) -> None:
    rows = [f"{at},{'ab'[at % 2]},P{at}" for at in range(12)]
    rows += ["12,2025-03-01,P01", "13,2025-03-01,p1"]
    (tmp_path / "t.csv").write_text("\n".join(["image,dx,patient", *rows]))
    for at in range(14):
        write_image(tmp_path / f"{at}.png", seed=at)
    layout = {"kind": "table", "table": "t.csv", "path": "image", "label": "dx"}
    source = DataSource(layout={**layout, "group": "patient", "skip": ["wart"]}, folder=tmp_path)
    with pytest.raises(Undivided, match=r"'2025-03-01' \(t.csv line 14\), are dates") as error:
        read_manifest(source)
    assert {(each.rule, each.level) for each in error.value.problems} == {
        ("C13", "error"),
        ("C17", "error"),
        ("C09", "warn"),
    }
    assert "class '2025-03-01' has 2 images" in str(error.value.why)
    copy = pickle.loads(pickle.dumps(error.value))
    assert (str(copy), copy.problems) == (str(error.value), error.value.problems)


def test_class_folders_keep_names_with_spaces_and_commas(class_folders: MakeTree) -> None:
    source = class_folders("Gleason 5-Single Cells", "Nevus, common")
    assert read_manifest(source).summary.classes == ("Gleason 5-Single Cells", "Nevus, common")


def test_hidden_folders_and_other_files_are_no_data(class_folders: MakeTree) -> None:
    source = class_folders("Anemic", "Non-anemic", ".ipynb_checkpoints", "Anemic/.thumbs")
    assert source.folder is not None
    (source.folder / "Anemic" / ".DS_Store").touch()
    (source.folder / "Anemic" / "notes.txt").touch()
    (source.folder / "Anemic" / "._scan.png").touch()
    assert read_manifest(source).summary.classes == ("Anemic", "Non-anemic")
    assert total(source, "Anemic") == 8


def test_given_split_folders_are_respected(class_folders: MakeTree) -> None:
    source = class_folders("train/a", "train/b", "Valid/a", "Valid/b", "test/a", "test/b")
    assert read_manifest(source).summary.counts == {
        split: {"a": 8, "b": 8} for split in ("train", "val", "test")
    }


def test_a_missing_split_is_carved_out_of_train_and_the_given_ones_stand(
    class_folders: MakeTree,
) -> None:
    source = class_folders("train/a", "train/b", "test/a", "test/b", images=14)
    counts = read_manifest(source).summary.counts
    assert counts["test"] == {"a": 14, "b": 14}
    assert counts["val"] == {"a": 2, "b": 2}
    assert counts["train"] == {"a": 12, "b": 12}


def test_a_class_missing_from_a_given_split_is_named(class_folders: MakeTree) -> None:
    with pytest.raises(DataError, match="the val split has no image of 'b'"):
        read_manifest(class_folders("train/a", "train/b", "val/a"))


def test_an_image_beside_the_split_folders_is_an_error(class_folders: MakeTree) -> None:
    with pytest.raises(DataError, match="outside the train, val and test folders"):
        read_manifest(class_folders("train/a", "train/b", "more/a"))


def test_one_class_is_an_error(class_folders: MakeTree) -> None:
    with pytest.raises(DataError, match="only one class, 'a', in 8 images"):
        read_manifest(class_folders("a"))


def test_a_folder_that_is_missing_empty_or_unnamed_is_an_error(tmp_path: Path) -> None:
    for folder, reason in ((tmp_path / "no", "no such"), (tmp_path, "no image"), (None, "--data")):
        with pytest.raises(DataError, match=reason):
            read_manifest(DataSource(layout={"kind": "class_folders"}, folder=folder))


def test_the_fingerprint_is_the_same_for_a_copy_elsewhere(
    gleason: DataSource, tmp_path: Path
) -> None:
    assert gleason.folder is not None
    shutil.copytree(gleason.folder, tmp_path / "copy", copy_function=shutil.copyfile)
    copy = replace(gleason, folder=tmp_path / "copy")
    os.utime(next((tmp_path / "copy").iterdir()), (0, 0))
    assert read_manifest(copy).summary.fingerprint == read_manifest(gleason).summary.fingerprint


@pytest.mark.parametrize("change", ["relabel", "remove", "resize", "reseed"])
def test_the_fingerprint_changes_with_the_data(gleason: DataSource, change: str) -> None:
    assert gleason.folder is not None
    before = read_manifest(gleason).summary.fingerprint
    path = next(gleason.folder.glob("*_0.png"))
    if change == "relabel":
        path.rename(path.with_name(path.name.replace("_0.png", "_1.png")))
    elif change == "remove":
        path.unlink()
    elif change == "resize":
        path.write_bytes(path.read_bytes() + b"\0")
    seed = 1 if change == "reseed" else 0
    assert read_manifest(replace(gleason, split_seed=seed)).summary.fingerprint != before


@pytest.fixture
def table(tmp_path: Path) -> DataSource:
    """Twelve images of six patients named by a table that gives splits, a site and an age."""
    splits = ("train", "val", "test")
    lines = [f"{n},{'ab'[n % 2]},p{n // 2},{splits[n // 4]},s{n % 3},{40 + n}" for n in range(12)]
    header = "image,label,patient,split,site,age"
    (tmp_path / "table.csv").write_text("\n".join([header, *lines]))
    for number in range(12):
        write_image(tmp_path / f"{number}.png", seed=number)
    declared = {"group": "patient", "split": "split", "site": "site", "metadata": {"age": "number"}}
    layout = {"kind": "table", "table": "table.csv", "label": "label", **declared}
    return DataSource(layout=layout, folder=tmp_path)


def test_a_tables_words_reach_the_manifest(table: DataSource) -> None:
    manifest = read_manifest(table)
    row = next(row for row in manifest.rows if row.path == "7.png")
    assert (row.label, row.group, row.split, row.site) == ("b", "p3", "val", "s1")
    assert row.metadata == (47.0,)
    assert manifest.as_csv().splitlines()[0] == (
        "path,label,class_index,group,site,split,fold,sha1,age"
    )


def test_a_manifest_with_odd_names_is_read_back(class_folders: MakeTree) -> None:
    source = class_folders("cr\rcr", "lf\nlf")
    header, *rows = csv.reader(io.StringIO(read_manifest(source).as_csv()))
    assert {row[header.index("label")] for row in rows} == {"cr\rcr", "lf\nlf"}
    assert {len(row) for row in rows} == {len(header)}


def test_the_fingerprint_covers_what_a_table_says_beside_the_label(table: DataSource) -> None:
    assert table.folder is not None
    before = read_manifest(table).fingerprint
    path = table.folder / "table.csv"
    path.write_text(path.read_text().replace(",47", ",74"))
    assert read_manifest(table).fingerprint != before


def test_the_images_of_a_table_decode_by_their_paths(table: DataSource) -> None:
    layout = open_layout(table)
    assert {layout.pixels_of(row.path, 8).shape for row in read_manifest(table).rows} == {(3, 8, 8)}


def test_the_digits_are_ten_classes_split_by_class() -> None:
    summary = read_manifest(DataSource(layout={"kind": "digits"})).summary
    assert summary.classes == tuple("0123456789")
    assert {split: sum(counts.values()) for split, counts in summary.counts.items()} == {
        "train": 1283,
        "val": 257,
        "test": 257,
    }


@pytest.mark.parametrize("name", ["patch_0.png", "Gleason 3"])
def test_a_link_that_leads_nowhere_is_named(gleason: DataSource, name: str) -> None:
    assert gleason.folder is not None
    (gleason.folder / name).symlink_to("/mnt/unplugged")

    with pytest.raises(DataError, match=rf"{name}: .*/mnt/unplugged.*remove the link$"):
        read_manifest(gleason)


@pytest.mark.parametrize(
    ("link", "target"),
    [("again", "."), ("a/b", "../b"), ("self_0.png", "self_0.png")],
    ids=["to the folder it is in", "by way of another link", "to itself"],
)
def test_links_in_a_circle_are_named(gleason: DataSource, link: str, target: str) -> None:
    assert gleason.folder is not None
    for name in ("a", "b"):
        (gleason.folder / name).mkdir()
    (gleason.folder / "b" / "a").symlink_to("../a")
    (gleason.folder / link).symlink_to(target)

    with pytest.raises(DataError, match=r"remove the link$"):
        read_manifest(gleason)


def test_a_link_to_a_folder_elsewhere_is_followed(gleason: DataSource, tmp_path: Path) -> None:
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "patches").symlink_to(tmp_path / "gleason")

    linked = read_manifest(replace(gleason, folder=tmp_path / "linked")).summary

    assert linked.counts == read_manifest(gleason).summary.counts
