"""Tests of the lines and the note that tell how far decoding is."""

import logging
import os
import time
from pathlib import Path

import pytest

from objectives.sets.progress import DecodingLog, decoding_note


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def long_work(clock: Clock, caplog: pytest.LogCaptureFixture) -> DecodingLog:
    """Work on 56,000 images that began a minute ago, without a line so far."""
    caplog.set_level(logging.INFO)
    work = DecodingLog(56_000, 224, clock=clock)
    clock.seconds += 60
    return work


def test_a_line_says_how_far_it_is_and_how_long_it_takes_yet(
    long_work: DecodingLog, caplog: pytest.LogCaptureFixture
) -> None:
    long_work.tell(19_040)  # 34 % in 60 s: 66 % in 116 s
    assert caplog.messages == ["decoding 56,000 images at 224 px: 34 %, about 1:56 to go"]
    assert caplog.records[0].__dict__["action"] == "decoding"


def test_a_line_comes_every_ten_seconds_at_most(
    long_work: DecodingLog, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for done in (19_040, 19_296, 19_552):
        long_work.tell(done)
    assert len(caplog.messages) == 1
    clock.seconds += 10
    long_work.tell(19_808)
    assert len(caplog.messages) == 2


def test_the_end_of_long_work_is_logged_and_short_work_is_not(
    long_work: DecodingLog, caplog: pytest.LogCaptureFixture
) -> None:
    long_work.tell(28_000)
    long_work.tell(56_000)
    assert caplog.messages[1] == "decoded 56,000 images at 224 px in 1:00"
    DecodingLog(10, 32).tell(10)
    assert len(caplog.messages) == 2


def test_the_note_in_the_cache_folder_says_the_same_until_it_is_done(
    tmp_path: Path, clock: Clock
) -> None:
    work = DecodingLog(56_000, 224, tmp_path, clock)
    assert decoding_note(tmp_path) == ""
    clock.seconds += 60
    work.tell(19_040)
    expected = "decoding 56,000 images at 224 px, once for all trials: 34 %, about 1:56 to go"
    assert decoding_note(tmp_path) == expected
    work.tell(56_000)
    assert decoding_note(tmp_path) == ""


def test_the_note_of_a_killed_worker_is_not_believed(tmp_path: Path, clock: Clock) -> None:
    work = DecodingLog(56_000, 224, tmp_path, clock)
    clock.seconds += 60
    work.tell(19_040)
    minute_ago = time.time() - 60
    os.utime(next(tmp_path.iterdir()), (minute_ago, minute_ago))
    assert decoding_note(tmp_path) == ""


def test_a_note_that_cannot_be_left_stops_no_decoding(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    work = DecodingLog(56_000, 224, tmp_path / "deleted", clock)
    clock.seconds += 60
    work.tell(19_040)
    assert "34 %" in caplog.text


def test_a_note_that_cannot_be_read_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "decoding.txt").write_bytes(b"\xff")
    assert decoding_note(tmp_path) == ""
    (tmp_path / "decoding.txt").unlink()
    (tmp_path / "decoding.txt").mkdir()
    assert decoding_note(tmp_path) == ""
