import logging
import os
import time
from pathlib import Path

import pytest

from objectives.sets.progress import DecodingLog, decoding_note


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> DecodingLog:
    """Work on 56,000 images that began a minute ago and was never told."""
    caplog.set_level(logging.INFO)
    log = DecodingLog(56_000, 224)
    log._started -= 60
    log._told -= 60
    return log


def test_a_line_says_how_far_it_is_and_how_long_it_takes_yet(
    told: DecodingLog, caplog: pytest.LogCaptureFixture
) -> None:
    told.tell(19_040)  # 34 % in 60 s: 66 % in 116 s
    assert caplog.messages == ["decoding 56,000 images at 224 px: 34 %, about 1:56 to go"]
    assert caplog.records[0].__dict__["action"] == "decoding"


def test_a_line_comes_every_ten_seconds_at_most(
    told: DecodingLog, caplog: pytest.LogCaptureFixture
) -> None:
    for done in (19_040, 19_296, 19_552):
        told.tell(done)
    assert len(caplog.messages) == 1
    told._told -= 10
    told.tell(19_808)
    assert len(caplog.messages) == 2


def test_the_end_of_long_work_is_told_and_short_work_is_silent(
    told: DecodingLog, caplog: pytest.LogCaptureFixture
) -> None:
    told.tell(28_000)
    told.tell(56_000)
    assert caplog.messages[1] == "decoded 56,000 images at 224 px in 1:00"
    DecodingLog(10, 32).tell(10)
    assert len(caplog.messages) == 2


def test_who_looks_into_the_cache_folder_hears_the_same_until_it_is_done(tmp_path: Path) -> None:
    log = DecodingLog(56_000, 224, tmp_path)
    assert decoding_note(tmp_path) == ""
    log._started -= 60
    log._told -= 60
    log.tell(19_040)
    expected = "decoding 56,000 images at 224 px, once for all trials: 34 %, about 1:56 to go"
    assert decoding_note(tmp_path) == expected
    log.tell(56_000)
    assert decoding_note(tmp_path) == ""


def test_what_a_killed_worker_was_at_is_no_news(tmp_path: Path) -> None:
    log = DecodingLog(56_000, 224, tmp_path)
    log._told -= 60
    log.tell(19_040)
    minute_ago = time.time() - 60
    os.utime(next(tmp_path.iterdir()), (minute_ago, minute_ago))
    assert decoding_note(tmp_path) == ""


def test_a_note_that_cannot_be_left_stops_no_decoding(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    log = DecodingLog(56_000, 224, tmp_path / "deleted")
    log._told -= 60
    log.tell(19_040)
    assert "34 %" in caplog.text


def test_a_note_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "decoding.txt").write_bytes(b"\xff")
    assert decoding_note(tmp_path) == ""
    (tmp_path / "decoding.txt").unlink()
    (tmp_path / "decoding.txt").mkdir()
    assert decoding_note(tmp_path) == ""
