"""The page of one trial, and what it says of trials that are not as usual."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import optuna
import pytest
from playwright.sync_api import Page
from starlette.testclient import TestClient

from dashboards.analysis.overview import OverviewReader
from dashboards.live import render
from dashboards.live.pages.trial import TrialPageReader
from dashboards.live.source import Source
from dashboards.live.view import View
from objectives.contract import CONFUSION_MATRIX, FOLD, FOLD_EPOCH, FOLDS_DONE, PER_CLASS
from storage.artifacts import artifact_store, keep
from storage.engine.rungs import Arrival
from storage.rows import HandBackReason, Outcome
from storage.store import Claim, Store
from tests.dashboards.analysis.toy_trials import make_study
from tests.dashboards.conftest import begin, finish
from tests.storage.samples import ended, finished, new_worker, stock_study

SCRIPT = "<script>alert(1)</script>"
RECALLS = (
    "class,images,groups,recall,recall_low,recall_high,precision,f1,auc\n"
    f"{SCRIPT},20,4,0.75,0.5,0.9,0.7,0.7,0.8\nother,10,4,0.5,0.2,0.8,0.7,0.7,0.8\n"
)
CONFUSION = f"true class,taken for {SCRIPT},taken for other\n{SCRIPT},15,5\nother,5,5\n"


@pytest.fixture
def store(database_url: str, home: Path) -> Iterator[Store]:
    """A store with two finished trials of many, which kept files, and a running one."""
    home.mkdir()
    with Store.open(database_url) as store:
        make_study(store)
        for _ in range(2):
            finish(store, begin(store), home)
        yield store


def kept(home: Path, claim: Claim, **files: str) -> dict[str, str]:
    """Keep some texts of an attempt under the names of the keys, return their links."""
    links: dict[str, str] = {}
    for name, text in files.items():
        path = home / name.replace("__", ".")
        path.write_text(text)
        links |= keep(artifact_store(str(home / "artifacts")), claim, path)
    return links


def test_a_finished_trial_is_told_with_its_value_its_files_and_the_next_commands(
    pages: TestClient,
) -> None:
    shown = pages.get("/s/toy/t/1.json").json()
    files = {file["name"]: file for file in shown["files"]}

    assert shown["top"]["value"] == "0.3333"
    assert shown["top"]["place"] == "of epoch 3, the best one of 3"
    assert shown["commands"] == [
        "search export --study toy --trial 1 --out trial-1.yaml",
        "search retrain trial-1.yaml --verify",
    ]
    assert pages.get(files["traceback.txt"]["href"]).text == "ValueError: no such thing"
    assert files["traceback.txt"]["size"].startswith("25")


def test_the_values_that_differ_from_the_best_trial_stand_beside_its_own(
    pages: TestClient, store: Store
) -> None:
    drawn = {row.number: row.params["learning_rate"] for row in store.trials("toy")}

    (row,) = pages.get("/s/toy/t/1.json").json()["configuration"]["searched"]

    assert row["differs"]
    assert float(row["value"]["exact"].replace("−", "-")) == pytest.approx(drawn[1])
    assert float(row["best"]["exact"].replace("−", "-")) == pytest.approx(drawn[0])
    assert "in learning_rate." in pages.get("/s/toy/t/1").text
    assert "The best of 2 finished trials." in pages.get("/s/toy/t/0").text


def test_a_new_epoch_reaches_the_open_page_of_a_running_trial(
    client: httpx.Client, store: Store
) -> None:
    claim = begin(store)
    assert 'data-events="/s/toy/t/2/events"' in client.get("/s/toy/t/2").text

    with client.stream("GET", "/s/toy/t/2/events") as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("data: {"))
        first = json.loads(next(lines).removeprefix("data: "))["panels"]
        store.record(claim, 4, {"val_loss": 0.123}, 0.123, seconds=1.0, images=10)
        changed = next(
            panels
            for line in lines
            if (panels := json.loads(line.removeprefix("data: ")).get("panels"))
        )

    assert "trial-curves" in first
    assert "0.1230" in changed["trial-curves"]
    assert "trial-configuration" not in changed


def test_a_trial_that_has_ended_is_not_read_again(pages: TestClient) -> None:
    assert "data-events" not in pages.get("/s/toy/t/1").text


def test_a_trial_tells_how_it_stood_at_its_rungs(pages: TestClient, store: Store) -> None:
    claim = begin(store)
    for rung, epoch in ((1, 2), (2, 4)):
        store.note_rung(claim, Arrival(rung=rung, kin="ldam=true", epoch=epoch, value=0.5))

    told = "At its rungs (ldam=true): rank 1 of 1 at epoch 2; rank 1 of 1 at epoch 4."
    assert told in pages.get("/s/toy/t/2").text
    assert "At its rungs" not in pages.get("/s/toy/t/1").text


def test_texts_of_a_failed_trial_are_only_text(pages: TestClient, store: Store, home: Path) -> None:
    claim = begin(store)
    end = ended("FAIL", Outcome.CODE_ERROR, SCRIPT)
    links = kept(home, claim, traceback__txt=f"last {SCRIPT}")
    store.tell(claim, replace(end, links=links))

    page = pages.get(f"/s/toy/t/{claim.number}").text

    assert SCRIPT not in page
    assert "last &lt;script&gt;" in page
    assert "The training code raised an exception." in page


def test_class_names_are_only_text_and_the_confusion_is_a_table(
    pages: TestClient, store: Store, home: Path
) -> None:
    claim = begin(store)
    tables = {"per_class__csv": RECALLS, "confusion_matrix__csv": CONFUSION}
    assert {PER_CLASS, CONFUSION_MATRIX} == {name.replace("__", ".") for name in tables}
    store.tell(claim, finished(0.5, links=kept(home, claim, **tables)))

    page = pages.get(f"/s/toy/t/{claim.number}").text

    assert SCRIPT not in page
    assert "75.0" in page
    assert '<td class="right7"' in page


def test_a_queued_trial_shows_the_values_it_will_have(pages: TestClient, store: Store) -> None:
    stock_study(store).enqueue_trial({"learning_rate": 0.25})

    shown = pages.get("/s/toy/t/2.json").json()

    assert (shown["top"]["state"]["word"], shown["is_live"]) == ("Queued", True)
    assert shown["configuration"]["searched"][0]["value"]["text"] == "0.25"
    assert shown["configuration"]["origin"] == "Queued by a person."
    assert shown["commands"] == []
    assert "No worker has taken it yet." in pages.get("/s/toy/t/2").text


def test_a_trial_of_another_program_is_shown_with_its_own_parameters(
    pages: TestClient, store: Store
) -> None:
    other = optuna.trial.create_trial(
        value=0.1,
        params={SCRIPT: 2.0},
        distributions={SCRIPT: optuna.distributions.FloatDistribution(0, 3)},
    )
    stock_study(store).add_trial(other)

    shown = pages.get("/s/toy/t/2.json").json()

    assert shown["top"]["state"]["word"] == "Ended elsewhere"
    assert [row["name"] for row in shown["configuration"]["searched"]] == ["learning_rate", SCRIPT]
    assert shown["configuration"]["origin"] == "Added by another program."
    assert SCRIPT not in pages.get("/s/toy/t/2").text


def test_every_attempt_at_a_trial_has_a_line(pages: TestClient, store: Store) -> None:
    store.register_worker("toy", new_worker("bob", host="far-away"))
    claim = begin(store)
    store.hand_back(claim, HandBackReason.KILLED, "signal 9")
    again = store.claim("toy", "bob", lease_seconds=30)
    assert isinstance(again, Claim)
    store.record(again, 4, {"val_loss": 0.2}, 0.2, seconds=1.0, images=10)

    shown = pages.get(f"/s/toy/t/{claim.number}.json").json()["attempts"]

    assert shown["note"] == "1 time begun again"
    assert [(line["epochs"], line["how"]) for line in shown["lines"]] == [
        (3, "killed"),
        (1, "running"),
    ]
    assert shown["lines"][0]["reason"] == "signal 9"
    assert shown["lines"][1]["place"].startswith("far-away")


def test_an_attempt_says_how_many_of_its_epochs_were_replaced(
    pages: TestClient, store: Store
) -> None:
    claim = begin(store)
    store.hand_back(claim, HandBackReason.KILLED)
    store.register_worker("toy", new_worker("bob"))
    again = store.claim("toy", "bob", lease_seconds=30)
    assert isinstance(again, Claim)
    metrics = {"val_loss": 0.1}
    store.record(again, 2, metrics, 0.1, seconds=1.0, images=10, is_deterministic=False)

    assert "3 (2 replaced)" in pages.get(f"/s/toy/t/{claim.number}").text


def test_folds_have_a_curve_each(pages: TestClient, store: Store) -> None:
    claim = begin(store)
    for epoch, fold in ((4, 1), (5, 2)):
        metrics = {"val_loss": 0.3, FOLD: float(fold), FOLD_EPOCH: 1.0, FOLDS_DONE: 0.0}
        store.record(claim, epoch, metrics, 0.3, seconds=1.0, images=10)

    (chart,) = pages.get(f"/s/toy/t/{claim.number}.json").json()["charts"]

    assert [line["tone"] for line in chart["lines"]].count("run s1") == 2


def test_a_number_without_a_trial_leads_to_all_trials(pages: TestClient) -> None:
    for number in ("2", "99999999999999", "-1", "abc", "1e1", "%D9%A3", "1.5"):
        answer = pages.get(f"/s/toy/t/{number}")

        assert answer.status_code == 404
        assert "It has trials 0 to 1." in answer.text
        assert 'href="/s/toy/trials"' in answer.text
        assert pages.get(f"/s/toy/t/{number}.json").json()["fix"] == "it has trials 0 to 1"
        assert pages.get(f"/s/toy/t/{number}/events").status_code == 404


def test_neighbours_and_the_best_are_one_link_away(pages: TestClient) -> None:
    shown = pages.get("/s/toy/t/1.json").json()

    assert shown["before"]["href"] == "/s/toy/t/0"
    assert pages.get(shown["compare"]["href"]).status_code == 200
    assert shown["after"] is None


@pytest.mark.slow
def test_trials_are_read_on_a_phone_and_walked_through_by_keys(page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.set_viewport_size({"width": 390, "height": 844})

    for path in ("/s/toy/t/1", "/s/toy/compare?t=0,1"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.goto("/s/toy/t/1")
    page.keyboard.press("[")
    page.wait_for_url("**/s/toy/t/0")
    page.keyboard.press("]")
    page.wait_for_url("**/s/toy/t/1")

    assert page.title() == "Trial 1 · toy · 2 of 100 · search"
    page.locator("svg[data-at]").first.hover()
    assert "epoch" in page.locator(".tip").inner_text()
    assert said == []


def test_a_part_that_cannot_be_drawn_leaves_the_others(store: Store, home: Path) -> None:
    source = Source(store, str(home / "artifacts"), home / "logs", lambda: nullcontext(store))
    overview = OverviewReader(store, "toy", source.artifacts).read()
    page = TrialPageReader(source, "toy", "0").read(overview)
    broken: Any = [None]  # no file has a name any more

    parts = render.trial((overview, replace(page, files=broken)), View())

    assert "cannot be drawn" in parts["trial-files"]
    assert "Finished" in parts["trial-top"]
