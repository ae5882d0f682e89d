"""The files that code of the author's own can go on from."""

from pathlib import Path

from objectives.own.left import newest_left


def test_a_file_that_was_being_written_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in "123")
    for folder in (first, second):
        (folder / "deeper").mkdir(parents=True)
    (first / "deeper" / "model.pt").touch()
    (second / "model.pt.0a1b2c3d.partial").touch()
    (second / "reported.jsonl").touch()

    assert newest_left([first, second, third]) == first
    assert newest_left([second, third]) is None
