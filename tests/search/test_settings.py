"""The settings that the environment may hold, and those that are refused."""

from pathlib import Path

import pytest

from search.errors import UsageError
from search.settings import read_settings


def test_a_shorter_lease_has_shorter_beats() -> None:
    settings = read_settings({"SEARCH_LEASE_SECONDS": "2"})
    assert (settings.lease_seconds, settings.beat_seconds) == (2.0, pytest.approx(2 / 3))


def test_without_a_word_three_beats_make_a_lease_of_half_a_minute() -> None:
    settings = read_settings({})
    assert (settings.lease_seconds, settings.beat_seconds) == (30.0, 10.0)


@pytest.mark.parametrize("seconds", ["soon", "0", "1e-9", "-1", "nan", "inf", "1e308"])
def test_a_lease_that_is_no_time_is_refused_with_the_fix(seconds: str) -> None:
    with pytest.raises(
        UsageError, match=r"SEARCH_LEASE_SECONDS is .*; set it to 0.1 to 86400 seconds"
    ):
        read_settings({"SEARCH_LEASE_SECONDS": seconds})


def test_a_beat_longer_than_the_lease_is_refused() -> None:
    with pytest.raises(UsageError, match="several must fit into one lease"):
        read_settings({"SEARCH_LEASE_SECONDS": "2", "SEARCH_BEAT_SECONDS": "3"})


@pytest.mark.parametrize("ends", ["{}\n", "{}\r\n", " {} ", "\t{}"])
def test_blanks_and_line_ends_around_the_database_url_are_no_part_of_it(ends: str) -> None:
    url = "postgresql://me@host/db"
    assert read_settings({"SEARCH_DATABASE_URL": ends.format(url)}).database_url == url


def test_a_blank_database_url_is_none() -> None:
    assert read_settings({"SEARCH_DATABASE_URL": " \n"}).database_url is None


@pytest.mark.parametrize(
    "given",
    [
        "s3:/b",
        "s3:b",
        "s3//b",
        "S3://b",
        " s3://b",
        '"s3://b"',
        "s3:///b",
        "s3://",
        "nas:/d",
        "gs://b",
    ],
)
def test_a_mistyped_address_of_artifacts_makes_no_folder(given: str) -> None:
    with pytest.raises(UsageError, match=r"set it to s3://bucket/prefix or to a folder"):
        read_settings({"SEARCH_ARTIFACTS": given})


@pytest.mark.parametrize("given", ["/a:b/c", "./s3:/b", "kept", "../s3", "a b"])
def test_a_folder_of_artifacts_has_any_other_name(given: str) -> None:
    assert read_settings({"SEARCH_ARTIFACTS": given}).shared_artifacts == str(Path(given).resolve())


@pytest.mark.parametrize("home", ["~no-such-user/x", "s3://b"])
def test_a_home_that_is_no_folder_is_refused(home: str) -> None:
    with pytest.raises(UsageError, match="SEARCH_HOME is"):
        read_settings({"SEARCH_HOME": home})


@pytest.mark.parametrize(
    ("given", "threads"), [("4", 4), ("4,2", 4), ("²", None), ("0", None), ("9" * 20, 1024)]
)
def test_a_number_of_threads_is_read_as_openmp_does(given: str, threads: int | None) -> None:
    assert read_settings({"OMP_NUM_THREADS": given}).threads == threads
