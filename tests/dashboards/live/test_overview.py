"""The overview of a study as a reader's browser gets it, without its script."""

import json

import httpx

from storage.store import Store
from tests.dashboards.conftest import begin


def test_the_page_says_the_state_the_best_trial_and_the_workers(client: httpx.Client) -> None:
    page = client.get("/s/toy").text

    assert "2 <small>of 3</small>" in page
    assert "1 of 1 worker trains" in page
    assert "test-host" in page or "ada" in page


def test_an_unknown_study_is_answered_with_the_nearest_name(reader: httpx.Client) -> None:
    answer = reader.get("/s/tog")

    assert answer.status_code == 404
    assert "toy" in answer.text


def test_a_viewer_gets_only_the_panels_that_have_changed(client: httpx.Client) -> None:
    first = client.get("/s/toy/panels").json()

    with client.stream("GET", "/s/toy/events", params={"since": first["version"]}) as answer:
        kind = next(line for line in answer.iter_lines() if line)

    assert kind == "event: tick"


def test_an_epoch_reaches_an_open_page_without_the_panels_that_stay(
    client: httpx.Client, store: Store
) -> None:
    version = client.get("/s/toy/panels").json()["version"]
    claim = begin(store)  # the worker's running trial, which had its three epochs
    store.record(claim, 4, {"val_loss": 0.2}, 0.2, seconds=1.0, images=10)

    with client.stream("GET", "/s/toy/events", params={"since": version}) as answer:
        data = next(line for line in answer.iter_lines() if "epoch 4/" in line)

    changed = json.loads(data.removeprefix("data: "))["panels"]
    assert f"#{claim.number}" in changed["workers"]
    assert "evidence" not in changed
