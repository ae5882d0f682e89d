"""`search report`."""

import json
from pathlib import Path

import pytest

from search.cli import main
from storage.store import Store
from tests.dashboards.report.planted import plant


@pytest.fixture(autouse=True)
def planted(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home with a planted study of 25 trials."""
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SEARCH_DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    with Store.open(database_url) as store:
        plant(store, count=25)


def test_a_page_brings_its_table_and_its_json(tmp_path: Path) -> None:
    assert main(["report", "--study", "planted", "--out", "out/report.html"]) == 0
    folder = tmp_path / "out"
    assert {path.name for path in folder.iterdir()} == {"report.html", "report.csv", "report.json"}
    assert "planted" in (folder / "report.html").read_text()
    assert len((folder / "report.csv").read_text().splitlines()) == 26
    facts = json.loads((folder / "report.json").read_text())
    assert facts["trials"]["total"] == 25
    assert [ending["outcome"] for ending in facts["outcomes"]] == [
        "finished",
        "pruned",
        "code error",
    ]


def test_a_table_alone_is_written_alone(tmp_path: Path) -> None:
    assert main(["report", "--study", "planted", "--out", "trials.csv"]) == 0
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["trials.csv"]


@pytest.mark.parametrize("out", ["-", "/dev/stdout"])
def test_a_pipe_gets_the_page_alone(out: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--study", "planted", "--out", out]) == 0
    assert capfd.readouterr().out.startswith("<!doctype html>")


def test_a_name_without_an_ending_gets_the_page_alone(tmp_path: Path) -> None:
    assert main(["report", "--study", "planted", "--out", "page"]) == 0
    assert (tmp_path / "page").read_text().endswith("</html>\n")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["page"]


def test_another_ending_is_refused_with_the_three_that_are_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["report", "--study", "planted", "--out", "report.pdf"]) == 2
    assert "let its name end with .html, .csv or .json" in capsys.readouterr().err


def test_nothing_is_written_where_the_study_is_unknown(tmp_path: Path) -> None:
    assert main(["report", "--study", "nobody", "--out", "report.html"]) == 2
    assert not list(tmp_path.glob("report.*"))
