"""The pages of a study beside its overview."""

import csv
import io
from pathlib import Path

import httpx
import pytest

from storage.store import Store


def test_trials_are_sorted_and_filtered_by_the_address(reader: httpx.Client) -> None:
    every = reader.get("/s/toy/trials.json").json()
    finished = reader.get("/s/toy/trials.json", params={"q": "finished", "sort": "value"}).json()

    assert [row["number"] for row in every["rows"]] == [2, 1, 0]
    assert [row["number"] for row in finished["rows"]] == [0, 1]
    assert finished["total"] == 2


def test_a_filter_compares_hyperparameters(reader: httpx.Client, shared_store: Store) -> None:
    drawn = {row.number: row.params["learning_rate"] for row in shared_store.trials("toy")}
    limit = sorted(drawn.values())[1]

    found = reader.get("/s/toy/trials.json", params={"q": f"learning_rate<={limit!r}"}).json()

    assert {row["number"] for row in found["rows"]} == {
        number for number, value in drawn.items() if value <= limit
    }


def test_a_word_that_says_nothing_is_told(reader: httpx.Client) -> None:
    page = reader.get("/s/toy/trials", params={"q": "lerning_rate<1 <script>alert(1)</script>"})

    assert "did you mean &#39;learning_rate&#39;?" in page.text
    assert "is no state, nor NAME=VALUE" in page.text
    assert "<script>alert" not in page.text


def test_the_table_of_a_filter_has_its_trials_alone(reader: httpx.Client) -> None:
    table = reader.get("/s/toy/trials.csv", params={"q": "finished"}).text

    assert [row["trial"] for row in csv.DictReader(io.StringIO(table))] == ["0", "1"]


@pytest.mark.parametrize("page", ["0", "-1", "x", "999999"])
def test_a_page_that_is_not_there_is_empty_or_the_first(reader: httpx.Client, page: str) -> None:
    assert reader.get("/s/toy/trials", params={"page": page}).status_code == 200


def test_the_table_of_every_trial_has_a_row_each(reader: httpx.Client) -> None:
    rows = list(csv.DictReader(io.StringIO(reader.get("/s/toy/trials.csv").text)))

    assert [row["trial"] for row in rows] == ["0", "1", "2"]
    assert float(rows[0]["value"]) == pytest.approx(1 / 3)
    assert float(rows[0]["param_learning_rate"]) > 0


def test_the_last_lines_of_a_log_are_shown_as_text(client: httpx.Client, home: Path) -> None:
    folder = home / "logs" / "toy"
    folder.mkdir(parents=True)
    (folder / "worker-1.log").write_bytes(b"first\n<img src=x onerror=alert(1)>\xff\n")

    page = client.get("/s/toy/logs").text

    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<img" not in page


def test_the_report_is_served_as_a_page_of_its_own_origin(reader: httpx.Client) -> None:
    answer = reader.get("/s/toy/report")

    assert answer.status_code == 200
    assert "sandbox allow-scripts" in ", ".join(answer.headers.get_list("content-security-policy"))
    assert reader.get("/s/toy/report.json").json()["best"][0]["number"] == 0
