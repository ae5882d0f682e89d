import json
from dataclasses import replace
from pathlib import Path

import pytest

from objectives.contract import DataError, DataSource
from objectives.data.manifest.manifest import read_manifest
from objectives.practice import dirt
from objectives.practice.flags import FLAGS, SETS, dirt_help
from objectives.practice.make import make_practice
from objectives.practice.sets import PRACTICE
from tests.objectives.data.practice_layouts import SMALLEST, practice_source


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_help_names_every_set_and_its_flags() -> None:
    assert {name: set(flags) for name, flags in SETS.items()} == {
        name: set(practice.dirt) for name, practice in PRACTICE.items()
    }
    assert {flag for flags in SETS.values() for flag in flags} == set(FLAGS)
    assert all(word in dirt_help() for word in (*FLAGS, *SETS))


@pytest.fixture(scope="module", params=SMALLEST)
def smallest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest set of a study, clean and of seed 0, in a folder of the study's name."""
    folder = tmp_path_factory.mktemp("smallest") / str(request.param)
    make_practice(request.param, folder, SMALLEST[request.param])
    return folder


@pytest.mark.slow  # one of them does not take 5 s, all of them do
def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(
    smallest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dirt, "FEWEST_COPIES", 4)  # otherwise most of the drawing is of copies
    name = smallest.name
    make_practice(name, tmp_path / "a", SMALLEST[name], 4, SETS[name])
    make_practice(name, tmp_path / "b", SMALLEST[name], 4, SETS[name])
    first, again, other = map(contents, (tmp_path / "a", tmp_path / "b", smallest))
    assert first == again
    assert not set(first.values()) & set(other.values())


def test_the_smallest_set_reads_with_every_class_in_each_split(smallest: Path) -> None:
    manifest = read_manifest(practice_source(smallest.name, smallest))
    assert manifest.summary.is_practice
    assert not manifest.problems
    splits = [manifest.split("train"), manifest.split("val")]
    assert all({row.label for row in rows} == set(manifest.classes) for rows in splits)


def test_an_interrupted_make_is_refused_by_readers_and_finished_by_the_next(
    tmp_path: Path, gleason: DataSource
) -> None:
    def stop(done: int, total: int) -> None:
        if done == total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_practice("gleason", tmp_path / "a", images=120, progress=stop)
    with pytest.raises(DataError, match="making was interrupted"):
        read_manifest(replace(gleason, folder=tmp_path / "a"))
    make_practice("gleason", tmp_path / "a", images=120)
    make_practice("gleason", tmp_path / "b", images=120)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.parametrize("torn", ["", '{"study": "cif'])
def test_a_make_that_was_killed_while_it_wrote_its_note_is_done_again(
    tmp_path: Path, torn: str
) -> None:
    (tmp_path / ".practice.json").write_text(torn)
    make_practice("cifar10", tmp_path, SMALLEST["cifar10"])
    assert json.loads((tmp_path / "practice.json").read_text())["study"] == "cifar10"


@pytest.mark.parametrize("name", ["practice.json", ".practice.json"])
def test_a_note_that_is_none_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xff no note")
    with pytest.raises(DataError, match=r"holds another practice set, .*; choose another folder"):
        make_practice("anemia", tmp_path)


def test_a_whole_set_is_left_as_it_is_and_another_one_in_its_folder_is_an_error(
    tmp_path: Path,
) -> None:
    calls: list[int] = []
    for _ in range(2):
        make_practice("gleason", tmp_path, 120, progress=lambda done, _: calls.append(done))
    assert calls == list(range(1, 121))
    for change in ({"seed": 1}, {"images": 121}, {"dirt": ["leak"]}):
        with pytest.raises(DataError, match=r"holds another practice set, .*; choose another fold"):
            make_practice("gleason", tmp_path, **{"images": 120, **change})


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match="not empty and not a practice set; choose an empty folder"):
        make_practice("gleason", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_study_without_a_practice_set_and_too_few_images_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no practice set is drawn for 'digits'.*needs none"):
        make_practice("digits", tmp_path)
    with pytest.raises(DataError, match="ask for 120 or more"):
        make_practice("gleason", tmp_path, images=12)


def test_dirt_is_noted_and_a_flag_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    make_practice("cifar10", tmp_path / "a", 120, dirt=["near", "labels"])
    note = json.loads((tmp_path / "a" / "practice.json").read_text())
    assert note["dirt"] == ["labels", "near"]
    with pytest.raises(DataError, match="cifar10 has no dirt 'leak'; use any of: duplicates, lab"):
        make_practice("cifar10", tmp_path / "b", 120, dirt=["labels", "leak"])
    assert not (tmp_path / "b").exists()
