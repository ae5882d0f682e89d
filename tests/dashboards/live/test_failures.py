"""The pages that say what is wrong."""

import logging

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from dashboards.live.failures import HANDLERS, explained
from spaces.errors import StudyError
from storage.store import Store


async def fail(request: Request) -> Response:
    """Fail as nobody expects it."""
    raise ZeroDivisionError("a secret of the code")


async def misread(request: Request) -> Response:
    """Fail as a study of another version does."""
    raise StudyError("the stored study 'old' cannot be read", "use the version that stored it")


@pytest.fixture
def failing() -> TestClient:
    routes = [Route("/fail", fail), Route("/fail.json", fail), Route("/old", explained(misread))]
    app = Starlette(routes=routes, exception_handlers=dict(HANDLERS))
    return TestClient(app, raise_server_exceptions=False)


def test_a_fault_of_the_code_is_one_line_in_our_layout(
    failing: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = failing.get("/fail")

    assert answer.status_code == 500
    assert "dashboard.log" in answer.text
    assert "All studies" in answer.text
    assert "secret" not in answer.text
    assert "/fail cannot be shown" in caplog.text


def test_a_path_that_nobody_has_is_not_found_in_our_layout(pages: TestClient) -> None:
    answer = pages.get("/nobody/<script>alert(1)</script>")

    assert answer.status_code == 404
    assert "There is no page" in answer.text
    assert "<script>alert" not in answer.text
    assert pages.get("/s/toy/nothing/here").status_code == 404


def test_programs_get_failures_as_json(failing: TestClient) -> None:
    assert failing.get("/fail.json").json()["fix"]
    assert failing.get("/nobody.json").json() == {
        "found": "there is no page '/nobody.json'",
        "fix": "go on from the list of studies",
    }


def test_a_study_of_another_version_says_so(failing: TestClient) -> None:
    assert "Use the version that stored it." in failing.get("/old").text


def test_a_study_of_any_other_form_leaves_the_list_of_the_others(
    pages: TestClient, store: Store
) -> None:
    for definition in ({}, {"study": "words", "found": {}}, {"study": {"data": None, "space": []}}):
        store.update_definition("toy", definition, 3)

        assert "use the version of search that stored it" in pages.get("/").text
        for page in ("", ".json", "/trials", "/trials.csv", "/data", "/report", "/t/0"):
            assert pages.get(f"/s/toy{page}").status_code == 400, page
