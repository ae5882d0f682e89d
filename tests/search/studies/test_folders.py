"""Where data is looked for."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from objectives.contract import DataError
from search.settings import Settings
from search.studies.folders import find_data, remember_data


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return Settings(home=tmp_path / ".search")


def test_the_given_folder_comes_before_the_remembered_and_the_usual_one(
    settings: Settings, tmp_path: Path
) -> None:
    for name in ("given", "used", "data/gleason"):
        (tmp_path / name).mkdir(parents=True)

    usual = find_data(settings, "gleason", None)
    remember_data(settings, "gleason", tmp_path / "used")

    assert usual == tmp_path / "data" / "gleason"
    assert find_data(settings, "gleason", None) == tmp_path / "used"
    assert find_data(settings, "gleason", Path("given")) == tmp_path / "given"


def test_a_study_under_another_name_finds_the_data_of_its_file(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "data" / "gleason").mkdir(parents=True)

    assert find_data(settings, "gleason", None, alias="second") == tmp_path / "data" / "gleason"


def test_a_practice_set_is_found_again_and_comes_after_all_else(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "drawn").mkdir()
    remember_data(settings, "gleason-practice", tmp_path / "drawn")
    assert find_data(settings, "gleason", None) == tmp_path / "drawn"

    (tmp_path / "data" / "gleason").mkdir(parents=True)
    assert find_data(settings, "gleason", None) == tmp_path / "data" / "gleason"


@pytest.mark.parametrize("noted", [b"[]", b"null", b'{"gleason": 5}', b"\xff", b'{"gleason":'])
def test_notes_that_are_none_are_passed_over(
    settings: Settings, tmp_path: Path, noted: bytes
) -> None:
    (tmp_path / "data" / "gleason").mkdir(parents=True)
    settings.home.mkdir()
    (settings.home / "data.json").write_bytes(noted)

    assert find_data(settings, "gleason", None) == tmp_path / "data" / "gleason"


def test_a_remembered_folder_that_is_gone_is_passed_over(
    settings: Settings, tmp_path: Path
) -> None:
    remember_data(settings, "gleason", tmp_path / "gone")

    with pytest.raises(DataError, match="search data make gleason --out data/gleason"):
        find_data(settings, "gleason", None)


def test_runs_that_start_together_remember_without_getting_in_each_others_way(
    settings: Settings, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(8) as runs:
        list(runs.map(lambda _: remember_data(settings, "gleason", tmp_path), range(200)))

    assert find_data(settings, "gleason", None) == tmp_path
    assert [path.name for path in settings.home.iterdir()] == ["data.json"]
