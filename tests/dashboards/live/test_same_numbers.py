"""The list, a study's page, its JSON and `search status` tell the same numbers."""

import io
import re

import httpx
from rich.console import Console

from dashboards.analysis import numbers
from search.terminal.status import print_status
from storage.store import Store


def printed(store: Store, study: str | None) -> str:
    """The output of `search status`, in one line."""
    wide = Console(file=io.StringIO(), width=300)
    with wide.capture() as capture:
        print_status(store, study, as_json=False, console=wide)
    return " ".join(capture.get().split())


def shown(html: str) -> str:
    """The text of a page, in one line."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_list_page_json_and_terminal_tell_the_same(client: httpx.Client, store: Store) -> None:
    [line] = client.get("/studies.json").json()
    frame = client.get("/s/toy.json").json()
    every, one = shown(client.get("/").text), shown(client.get("/s/toy").text)
    all_printed, one_printed = printed(store, None), printed(store, "toy")

    assert (line["ended"], line["total"]) == (frame["ended"], frame["total"]) == (2, 3)
    assert "2 of 3" in every
    assert "2 of 3" in one
    assert "2/3" in all_printed
    assert "2/3 trials" in one_printed

    assert line["best"] == frame["best"]["value"]
    best = numbers.metric(line["best"])
    assert best in every
    assert best in one
    assert best in all_printed
    assert best in one_printed

    assert line["verdict"]["state"] == frame["state"] == "running"
    assert "Running" in every
    assert "Running" in one
    assert "running" in all_printed
    assert frame["verdict"] in one
    assert frame["verdict"] in one_printed

    assert line["workers"] == len(frame["workers"]) == 1
    assert "1 of 1 worker trains" in one
    assert "1 of 1 worker trains" in one_printed


def test_the_list_tells_the_hours_of_the_page(client: httpx.Client) -> None:
    [line] = client.get("/studies.json").json()
    hours = client.get("/s/toy.json").json()["hours"]

    parts = ("finished", "pruned", "failed", "running", "lost")
    assert line["device_seconds"] > 0
    assert abs(line["device_seconds"] - sum(hours[part] for part in parts)) < 60
