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


@pytest.mark.parametrize("ends", ["{}\n", "{}\r", "{}\r\n", " {} ", "\t{}"])
def test_blanks_and_line_ends_around_a_value_are_no_part_of_it(ends: str) -> None:
    given = {
        "SEARCH_DATABASE_URL": "postgresql://me@host/db",
        "SEARCH_HOME": "/data/home",
        "SEARCH_ARTIFACTS": "s3://bucket",
    }

    settings = read_settings({name: ends.format(value) for name, value in given.items()})

    assert settings.database_url == "postgresql://me@host/db"
    assert (settings.home, settings.artifacts) == (Path("/data/home"), "s3://bucket")


def test_the_dashboards_tokens_are_read_and_shown_nowhere() -> None:
    settings = read_settings({"SEARCH_DASHBOARD_TOKEN": "writer: a-token-of-our-own\n"})

    assert settings.dashboard_token == "writer: a-token-of-our-own"
    assert "a-token" not in repr(settings)


def test_a_blank_database_url_is_none() -> None:
    assert read_settings({"SEARCH_DATABASE_URL": " \n"}).database_url is None


@pytest.mark.parametrize(
    "given",
    [
        "s3:/b",
        "s3:b",
        "s3//b",
        "S3://b",
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


@pytest.mark.parametrize("given", ['"/x"', "'/x'", "$HOME/x", "/x/$USER/y", "${SCRATCH}", "a/${B}"])
@pytest.mark.parametrize("name", ["SEARCH_HOME", "SEARCH_ARTIFACTS"])
def test_a_path_that_no_shell_has_read_makes_no_folder(name: str, given: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is"):
        read_settings({name: given})


@pytest.mark.parametrize("home", ["/a$b", "/a b", "it's", '5" tiles', "/100$/x", "/x/'y'"])
def test_a_home_has_any_other_name(home: str) -> None:
    assert read_settings({"SEARCH_HOME": home}).home == Path(home).resolve()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("SEARCH_DB_URL", "SEARCH_DATABASE_URL"),
        ("SEARCH_DATABASE", "SEARCH_DATABASE_URL"),
        ("SEARCH_DATABSE_URL", "SEARCH_DATABASE_URL"),
        ("search_home", "SEARCH_HOME"),
        ("SEARCH_HOME_DIR", "SEARCH_HOME"),
        ("SEARCH_ARTEFACTS", "SEARCH_ARTIFACTS"),
        ("SEARCH_ARTIFACT_DIR", "SEARCH_ARTIFACTS"),
        ("SEARCH_LEASE", "SEARCH_LEASE_SECONDS"),
    ],
)
def test_a_variable_that_is_meant_as_one_of_ours_is_refused(typed: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"{typed} is set, .*; did you mean {meant}"):
        read_settings({typed: "/x"})


@pytest.mark.parametrize(
    "name",
    [
        "SEARCH_DB_SERVICE_HOST",
        "SEARCH_DB_PORT_5432_TCP",
        "SEARCH_DB_PORT",
        "SEARCH_API_KEY",
        "SEARCH_RELEASE",
        "SEARCH_BASE_URL",
        "SEARCH_HOST",
        "SEARCH_SETTLED",
        "SEARCH",
        "RESEARCH_HOME",
    ],
)
def test_variables_of_other_programs_are_left_alone(name: str) -> None:
    assert read_settings({name: "/x"}) == read_settings({})


@pytest.mark.parametrize("home", ["~no-such-user/x", "s3://b"])
def test_a_home_that_is_no_folder_is_refused(home: str) -> None:
    with pytest.raises(UsageError, match="SEARCH_HOME is"):
        read_settings({"SEARCH_HOME": home})


@pytest.mark.parametrize(
    ("given", "threads"), [("4", 4), ("4,2", 4), ("²", None), ("0", None), ("9" * 20, 1024)]
)
def test_a_number_of_threads_is_read_as_openmp_does(given: str, threads: int | None) -> None:
    assert read_settings({"OMP_NUM_THREADS": given}).threads == threads


@pytest.mark.parametrize(
    ("variables", "engine"),
    [
        ({}, {}),
        ({"SLURM_JOB_ID": "14"}, {"name": "slurm", "job": "14"}),
        (
            {"SLURM_JOB_ID": "14", "SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": "3"},
            {"name": "slurm", "job": "12_3"},
        ),
        ({"RAY_JOB_ID": "01000000"}, {"name": "ray", "job": "01000000"}),
        (
            {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "toy-1a2b-3"},
            {"name": "k8s", "job": "toy-1a2b-3"},
        ),
        (
            {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "SLURM_JOB_ID": "14"},
            {"name": "slurm", "job": "14"},
        ),
    ],
    ids=["none", "slurm", "slurm array", "ray", "k8s", "slurm on k8s"],
)
def test_the_engine_of_a_cluster_is_known_by_its_variables(
    variables: dict[str, str], engine: dict[str, str]
) -> None:
    assert read_settings(variables).engine == engine
