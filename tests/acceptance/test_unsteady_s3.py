"""Two machines whose only common places are a Postgres and a bucket, on a bad day of both."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from search.database import open_store
from storage import artifacts
from tests.acceptance.conftest import Place
from tests.acceptance.machines_in_turn import (
    GOES_ON,
    Machines,
    assert_best_weights_alone_are_there,
    assert_nothing_is_lost,
    assert_trained_as_if_undisturbed,
)
from tests.acceptance.unsteady_s3 import UnsteadyS3, unsteady

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

AWAY_SECONDS = 3


@pytest.fixture
def s3(
    s3_server: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[UnsteadyS3]:
    """A bad way to the S3 server that this process reaches without it; the keys are in a file."""
    keys = tmp_path / "credentials"
    keys.write_text("[default]\naws_access_key_id = key\naws_secret_access_key = secret\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_server["AWS_ENDPOINT_URL"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", s3_server["AWS_DEFAULT_REGION"])
    port = urlsplit(s3_server["AWS_ENDPOINT_URL"]).port
    assert port
    with unsteady(port) as proxy:
        yield proxy


@pytest.fixture
def environment(s3: UnsteadyS3, database_url: str, tmp_path: Path) -> dict[str, str]:
    """The variables of both machines."""
    return {
        "SEARCH_DATABASE_URL": database_url,
        "SEARCH_LEASE_SECONDS": "2",
        "SEARCH_ARTIFACTS": f"s3://lab/{tmp_path.name}",
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{s3.port}",
    }


@pytest.mark.parametrize("kills", [1, pytest.param(12, marks=pytest.mark.full)])
def test_machines_lost_in_turn_lose_nothing_in_a_bucket_on_a_bad_day(
    make_place: Callable[[], Place],
    s3: UnsteadyS3,
    environment: dict[str, str],
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    kills: int,
) -> None:
    places, trials = [make_place(), make_place()], 1 + 3 * kills
    machines = Machines("bad", places, [environment] * 2)
    machines.store_study(trials)
    kept = artifacts.artifact_store(environment["SEARCH_ARTIFACTS"])
    with open_store(places[0].settings_with(environment["SEARCH_DATABASE_URL"])) as store:
        machines.start(0)
        machines.start(1)
        lost = [machines.lose(store, kept) for _ in range(kills)]
        s3.go()
        time.sleep(AWAY_SECONDS)
        s3.come()
        machines.end()

        assert_nothing_is_lost(store, "bad", trials)
        went_on = [int(epoch) for epoch in GOES_ON.findall(capfd.readouterr().err)]
        assert len(went_on) == kills
        assert all(epoch >= shared for epoch, (_, shared) in zip(went_on, lost, strict=True))
        assert all(s3.met[fault] for fault in ("busy", "broken", "late", "away"))
        assert_best_weights_alone_are_there(store, "bad", kept)
        for number, _ in lost:
            assert_trained_as_if_undisturbed(store, "bad", number, tmp_path / str(number))
