from pathlib import Path

import pytest

from objectives.practice.flags import FLAGS, SETS
from search.cli import main


def test_its_help_lists_the_sets_and_the_dirt(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["data", "make", "--help"])
    lines = [line.split()[:1] for line in capsys.readouterr().out.splitlines()]
    assert all([word] in lines for word in (*FLAGS, *SETS))


def test_dirt_is_laid_on_and_check_is_what_comes_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["data", "make", "anemia", "--out", str(tmp_path / "a"), "--images", "60"]
    assert main([*words, "--dirt", "leak,hidden"]) == 0
    assert (tmp_path / "a" / "train" / "Severe" / "Thumbs.db").exists()
    assert "Next: search check --study anemia" in capsys.readouterr().err


def test_a_flag_that_the_set_cannot_have_is_refused_with_those_that_it_can(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "make", "brats", "--out", str(tmp_path / "b"), "--dirt", "hidden"]) == 2
    refusal = capsys.readouterr().err
    assert refusal.count("\n") == 1
    assert all(flag in refusal for flag in SETS["brats"])
    assert not (tmp_path / "b").exists()
