"""Loading a study by name or path, and the errors when that fails."""

import sys
from pathlib import Path

import pytest

from spaces.errors import StudyError
from spaces.load import load_study

HEAD = "from spaces.study import Study\nfrom spaces.params import Choice, Float\n"
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
        (HEAD + "study = Studdy()", r"mine\.py:3: NameError: .*; did you mean 'Study'\?$"),
        (HEAD + "rate = 1\nx = rat", r"mine\.py:4: NameError: .*; did you mean 'rate'\?$"),
        (HEAD + "Study(objectiv='x')", r"mine\.py:3: TypeError: .*; did you mean 'objective'\?$"),
        (HEAD + "Float('x', logs=True)", r"mine\.py:3: TypeError: .*; did you mean 'log'\?$"),
        (
            HEAD + "Choice('x', (1, 2), weights=(3, 4))",
            r"; write each option with its weight: Choice",
        ),
        (
            HEAD + "Choice('x', (1, 2), prior={1: 3})",
            r"; write each option with its weight: Choice",
        ),
        (HEAD + "Float('x', 0, 1, fixed=1)", r"; write Study\(fixed="),
        (HEAD + "Study(priors={})", r"; a prior stands with its parameter"),
        ("ClasFolders()", "did you mean `from spaces.data import ClassFolders`"),
        ("from spaces.data import ClasFolders", "`from spaces.data import ClassFolders`"),
        ("from spaces.data import Choice", "`from spaces.params import Choice`"),
        ("from spaces import Study", "`from spaces.study import Study`"),
        ("import spaces.dta", "did you mean 'spaces.data'"),
        ("from spacs.data import Table", "did you mean 'spaces'"),
        ("open('nothing.csv')", r"mine\.py:1: .*/nothing\.csv is not there; correct the path"),
        (HEAD + "x = Float('lr', 2.0, 1.0)", r"mine\.py:3: .*put low first"),
        ("import nothing_like_this", r"mine\.py:1: ModuleNotFoundError"),
        ("trial = 3", "defines no `study`"),
        ("import sys\nsys.exit(0)", r"mine\.py:2: the file ends the program"),
        ("", "defines no `study`"),
        (GOOD + "study = [study, study]", "is a list and not a Study; end the file"),
        (GOOD.replace("study =", "one =") + "two = one", "but one and two; call the one to run"),
        ("from .ranges import RATE", "import it without the dot"),
        ("import albumentation", r"pip install albumentation\), or put albumentation\.py beside"),
        (GOOD + "x = '\0'", r"mine\.py:5: the file has a zero byte"),
        ("# coding: latin-16\n" + GOOD, r"mine\.py:1: unknown encoding.*; save it as UTF-8"),
        ("raise ValueError('one\\ntwo')", r"mine\.py:1: ValueError: one two; mend the line$"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(StudyError, match=says):
        load_study(written(tmp_path, text))


def test_a_missing_file_is_refused_with_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="search init"):
        load_study(str(tmp_path / "mine.py"))


@pytest.mark.parametrize("reference", ["mine.ipynb", "mine.txt", "mine", "folder.py"])
def test_what_is_no_study_file_is_refused_for_its_own_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.py").mkdir()
    for name in ("mine.py", "mine.ipynb", "mine.txt"):
        Path(name).write_text(GOOD)
    says = {
        "mine.ipynb": "copy the notebook's cells",
        "mine.txt": "ends in .py",
        "mine": "did you mean the file mine.py",
        "folder.py": "is a folder",
    }

    with pytest.raises(StudyError, match=says[reference]):
        load_study(reference)


@pytest.mark.parametrize(
    ("encoding", "cookie", "says"),
    [
        ("utf-8-sig", "", ""),
        ("latin-1", "# -*- coding: latin-1 -*-\n", ""),
        ("latin-1", "", r"mine\.py:5: the file is not in UTF-8; save it as UTF-8"),
        ("utf-16", "", "is encoded in UTF-16; save it as UTF-8"),
    ],
)
def test_a_file_of_an_editors_encoding_is_read_or_its_encoding_named(
    tmp_path: Path, encoding: str, cookie: str, says: str
) -> None:
    text = cookie + GOOD + "# Läsion\n"
    path = tmp_path / "größe 2.mine.py"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))

    if says:
        with pytest.raises(StudyError, match=says):
            load_study(str(path))
    else:
        assert load_study(str(path)).name == "mine"


@pytest.mark.parametrize(
    ("helper", "line"),
    [
        ("ranges.py", "from ranges import RATE"),
        ("ranges/__init__.py", "from ranges import RATE"),
        ("ranges/rate.py", "from ranges.rate import RATE"),
    ],
)
def test_each_study_finds_the_module_beside_it_and_leaves_no_trace(
    tmp_path: Path, helper: str, line: str
) -> None:
    before = sys.path[:], sys.argv[:]
    for folder, high in (("one", 1.0), ("two", 2.0)):
        (tmp_path / folder / helper).parent.mkdir(parents=True)
        (tmp_path / folder / helper).write_text(
            f"{HEAD}RATE = Float('learning_rate', 1e-4, {high}, log=True)\n"
        )
        text = GOOD.replace("Float('learning_rate', 1e-4, 1.0, log=True)", "RATE")
        study = load_study(written(tmp_path / folder, f"{line}\n{text}"))

        assert study.space.corners()[-1] == {"learning_rate": high}

    assert (sys.path, sys.argv) == before
    assert "ranges" not in sys.modules
    assert list(tmp_path.rglob("__pycache__")) == []


@pytest.mark.parametrize(
    ("helper", "says"),
    [
        ("x = 1\ny = nothing", r"ranges\.py:2: NameError"),
        ("x = (", r"ranges\.py:1: .*never closed"),
    ],
)
def test_an_error_in_the_module_beside_is_named_with_its_line(
    tmp_path: Path, helper: str, says: str
) -> None:
    (tmp_path / "ranges.py").write_text(helper)

    with pytest.raises(StudyError, match=says):
        load_study(written(tmp_path, "import ranges"))


def test_what_a_study_prints_is_no_output_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load_study(written(tmp_path, "import sys\nprint(sys.argv)\n" + GOOD))

    assert capsys.readouterr() == ("", f"['{tmp_path}/mine.py']\n")
