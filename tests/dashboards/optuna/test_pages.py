"""optuna-dashboard's routes: its own paths and no others, its files, and its shown names."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboards.optuna import shell
from dashboards.optuna.marked import PRACTICE, MarkedStorage
from dashboards.optuna.pages import optuna_routes
from storage.rows import Shown
from storage.store import Store


@pytest.fixture
def pages(store: Store, home: Path) -> Iterator[TestClient]:
    """A program that asks optuna-dashboard's routes alone."""
    with TestClient(Starlette(routes=optuna_routes(store, str(home / "artifacts")))) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    ["/dashboard", "/dashboard/", "/dashboard/compare-studies", "/dashboard/studies/1/note"],
)
def test_a_page_is_its_html_with_our_stylesheet(pages: TestClient, path: str) -> None:
    answer = pages.get(path)

    assert answer.status_code == 200
    assert '<link rel="stylesheet" href="/dashboard/static/optuna.css">' in answer.text


@pytest.mark.parametrize(
    "path",
    ["/", "/s/toy", "/dashboards", "/dashboard/nowhere", "/dashboard/studies/1/x", "/static/a.js"],
)
def test_a_path_that_it_does_not_know_is_left_to_the_server(pages: TestClient, path: str) -> None:
    assert pages.get(path).status_code == 404


def test_the_empty_page_of_the_table_leads_to_the_table(pages: TestClient) -> None:
    answer = pages.get("/dashboard/studies/7/trialTable", follow_redirects=False)

    assert answer.headers["location"] == "/dashboard/studies/7/smartSelection"


def test_the_program_of_its_pages_is_sent_packed_to_whoever_takes_that(pages: TestClient) -> None:
    packed = pages.get("/dashboard/static/bundle.js")
    plain = pages.get("/dashboard/static/bundle.js", headers={"Accept-Encoding": "identity"})
    again = pages.get(
        "/dashboard/static/bundle.js", headers={"If-None-Match": packed.headers["ETag"]}
    )

    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert packed.content == plain.content
    assert packed.headers["content-type"] == plain.headers["content-type"]
    assert again.status_code == 304


def test_its_answers_come_with_the_names_to_show(pages: TestClient, store: Store) -> None:
    store.show("toy", Shown("val_loss", {PRACTICE: "drawn"}))

    detail = pages.get("/api/studies/1").json()

    (study,) = pages.get("/api/studies").json()["study_summaries"]
    assert study["study_name"] == detail["name"] == "Practice data · toy"
    assert detail["objective_names"] == ["val_loss"]
    assert pages.get("/csv/1").headers["content-disposition"].endswith("filename=toy.csv")
    assert pages.get("/csv/1").text.startswith("Number,State,val_loss,")


def test_a_study_on_real_data_keeps_its_name(store: Store) -> None:
    store.show("toy", Shown("val_loss"))

    (study,) = MarkedStorage(store.engine).get_all_studies()

    assert study.study_name == "toy"


def test_another_release_with_another_page_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "REPLACED", (("<main>", "<main id=ours>"),))

    with pytest.raises(ValueError, match="optuna-dashboard's page has no <main>"):
        shell.shell()
