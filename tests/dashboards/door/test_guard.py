"""The dashboard lets reading in, from this machine's own pages, and nothing else."""

import os
import pwd
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import optuna_dashboard
import pytest
from bottle import Route

from dashboards.door.checks import READING
from storage.store import Store
from tests.dashboards.door.attackers import NOBODY, request, sent, sent_by

EVIL = "http://evil.example"


def files(client: httpx.Client) -> dict[str, httpx.Response]:
    """What the first trial kept, by name, as the dashboard hands it out."""
    trial = client.get("/api/studies/1").json()["trials"][0]
    place = f"/artifacts/1/{trial['trial_id']}"
    return {
        kept["filename"]: client.get(f"{place}/{kept['artifact_id']}")
        for kept in trial["artifacts"]
    }


@pytest.mark.slow
def test_no_write_of_the_dashboard_comes_through(
    reader: httpx.Client, shared_store: Store, shared_home: Path
) -> None:
    routes: list[Route] = optuna_dashboard.wsgi(shared_store.optuna_storage).routes
    writes = [route for route in routes if route.method not in READING]

    answers = [reader.request(route.method, _filled(route.rule), json={}) for route in writes]

    assert len(answers) >= 15
    assert {answer.status_code for answer in answers} == {405}
    assert all("only reads" in answer.json()["reason"] for answer in answers)
    assert [trial.state for trial in shared_store.trials("toy")] == [
        "COMPLETE",
        "COMPLETE",
        "RUNNING",
    ]
    assert len(list((shared_home / "artifacts").iterdir())) == 6


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_of_the_machine_reads_nothing(reader: httpx.Client) -> None:
    address = str(reader.base_url)
    asked = request("/api/studies", "GET", f"Host: {reader.base_url.netloc.decode()}")

    refused = sent_by(NOBODY, address, asked)
    assert refused.startswith(b"HTTP/1.1 403")
    owner, other = pwd.getpwuid(os.geteuid()).pw_name, pwd.getpwuid(NOBODY).pw_name
    assert f"this dashboard is {owner}'s, and your connection is {other}'s".encode() in refused
    assert b"toy" not in refused
    assert b'"study_name":"toy"' in sent(address, asked).replace(b" ", b"")


@pytest.mark.slow
def test_only_this_machines_own_pages_are_answered(reader: httpx.Client) -> None:
    ask = partial(reader.get, "/api/studies")
    port = reader.base_url.port

    assert ask().status_code == 200
    assert ask(headers={"Origin": f"http://127.0.0.1:{port}"}).status_code == 200
    assert ask(headers={"Host": f"localhost:{port}"}).status_code == 200
    assert ask(headers={"Host": f"evil.example:{port}"}).status_code == 400
    assert ask(headers={"Host": f"127.0.0.1.evil.example:{port}"}).status_code == 400
    assert ask(headers={"Origin": EVIL}).status_code == 403
    assert ask(headers={"Origin": "null"}).status_code == 403
    assert ask(headers={"Origin": EVIL, "Host": urlsplit(EVIL).netloc}).status_code == 400


@pytest.mark.slow
def test_every_answer_is_sealed_against_other_pages(reader: httpx.Client) -> None:
    answers = [
        reader.get("/dashboard"),
        reader.get("/api/studies"),
        reader.delete("/api/studies/1"),
    ]
    answers += files(reader).values()

    for answer in answers:
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.slow
def test_a_kept_file_runs_no_script(reader: httpx.Client) -> None:
    kept = files(reader)

    assert all("sandbox" in answer.headers["content-security-policy"] for answer in kept.values())
    assert kept["page.html"].headers["content-type"] == "text/plain; charset=utf-8"
    assert kept["drawing.svg"].headers["content-disposition"] == "attachment"
    assert kept["traceback.txt"].text == "ValueError: no such thing"
    assert "content-disposition" not in kept["traceback.txt"].headers


def _filled(rule: str) -> str:
    """Put 1 where a route has an id."""
    return "/".join("1" if part.startswith("<") else part for part in rule.split("/"))
