"""Actions of a page: what they name before, and what they do once they are confirmed."""

import os
import re
from pathlib import Path

import httpx
import pytest

from dashboards.door.visitors import user_name
from spaces.stored import from_json
from storage.store import Store
from tests.dashboards.conftest import Dashboard


def confirmed(client: httpx.Client, action: str, fields: dict[str, str], query: str = "") -> str:
    """Load the page of an action and send its form as a browser does."""
    page = client.get(f"/s/toy/actions/{action}{query}").text
    [csrf] = re.findall(r'name="csrf" value="([^"]+)"', page)
    origin = str(client.base_url).rstrip("/")
    answer = client.post(
        f"/s/toy/actions/{action}", data={"csrf": csrf, **fields}, headers={"Origin": origin}
    )
    return answer.text


def test_the_page_of_a_stop_names_what_will_happen_and_the_command(client: httpx.Client) -> None:
    page = client.get("/s/toy/actions/stop").text

    assert "Each worker (1 now) ends after its epoch in flight." in page
    assert "search stop --study toy" in page


def test_a_confirmed_stop_is_requested(client: httpx.Client, store: Store) -> None:
    assert "stops after the epoch in flight" in confirmed(client, "stop", {"how": "drain"})
    assert store.study("toy").stop == "drain"


def test_a_confirmed_end_of_a_trial_ends_it(client: httpx.Client, store: Store) -> None:
    said = confirmed(client, "end-trial", {"trial": "2"}, "?trial=2")

    assert "trial 2 of toy is ended" in said
    assert store.trials_of("toy", [2])[0].state == "FAIL"


def test_more_trials_are_added(client: httpx.Client, store: Store) -> None:
    assert "goes on to 7 trials" in confirmed(client, "add-trials", {"total": "7"})
    assert from_json(store.study("toy").definition).study.trials == 7


@pytest.mark.parametrize("total", ["1", "x", "", "99999999"])
def test_a_total_that_cannot_be_is_refused_with_the_reason(
    reader: httpx.Client, shared_store: Store, total: str
) -> None:
    assert "Not done" in confirmed(reader, "add-trials", {"total": total})
    assert from_json(shared_store.study("toy").definition).study.trials == 3


def test_nothing_is_done_without_the_word_of_the_page(
    reader: httpx.Client, shared_store: Store
) -> None:
    origin = str(reader.base_url).rstrip("/")
    answer = reader.post(
        "/s/toy/actions/stop", data={"how": "now", "csrf": "guessed"}, headers={"Origin": origin}
    )

    assert answer.status_code == 403
    assert shared_store.study("toy").stop is None


def test_an_action_that_is_none_is_told(reader: httpx.Client) -> None:
    answer = reader.get("/s/toy/actions/delete")

    assert answer.status_code == 400
    assert "There is no action" in answer.text


def test_the_log_says_who_did_what(dashboard: Dashboard, home: Path) -> None:
    confirmed(dashboard[1], "stop", {"how": "drain"})

    [line] = [
        line
        for line in (home / "logs" / "dashboard.log").read_text().splitlines()
        if "stops after the epoch" in line
    ]
    assert user_name(os.geteuid()) in line
