"""Loading a study by name or path, and the errors when that fails."""

from pathlib import Path

import pytest

from spaces.errors import StudyError
from spaces.load import load_study

HEAD = "from spaces.study import Study\nfrom spaces.params import Float\n"
GOOD = HEAD + (
    "study = Study(name='mine', objective='toy_curve', metric='val_loss', direction='minimize',\n"
    "              space=[Float('learning_rate', 1e-4, 1.0, log=True)])\n"
)


def written(folder: Path, text: str) -> str:
    path = folder / "mine.py"
    path.write_text(text)
    return str(path)


def test_a_users_own_file_is_a_study(tmp_path: Path) -> None:
    assert load_study(written(tmp_path, GOOD)).name == "mine"


def test_a_shipped_study_goes_by_its_name() -> None:
    assert load_study("gleason").space.get("backbone").weights == (0.8, 0.2)


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(StudyError, match="did you mean 'gleason'"):
        load_study("gleeson")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("study = Study(", r"mine\.py:1: .*was never closed; mend the line"),
        (HEAD + "study = Studdy()", r"mine\.py:3: NameError"),
        (HEAD + "x = Float('lr', 2.0, 1.0)", r"mine\.py:3: .*put low first"),
        ("import nothing_like_this", r"mine\.py:1: ModuleNotFoundError"),
        ("trial = 3", "defines no `study`"),
        ("import sys\nsys.exit(0)", r"mine\.py:2: the file ends the program"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(StudyError, match=says):
        load_study(written(tmp_path, text))


def test_a_missing_file_is_refused_with_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="search init"):
        load_study(str(tmp_path / "mine.py"))
