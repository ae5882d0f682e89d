"""Two to four trials side by side."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from objectives.contract import GROUPS
from storage.artifacts import artifact_store, keep
from storage.store import Store
from tests.dashboards.analysis.toy_trials import begin_trial, make_study
from tests.storage.samples import finished

COUNT, IMAGES = 40, 10
HARD = np.random.default_rng(0).uniform(1.0, 4.0, COUNT)  # slides differ much more than trials


def table(losses: np.ndarray) -> str:
    """Return groups.csv of a split of one class, from each group's mean loss."""
    rows = [f"slide {n},tumour,{IMAGES},8,{IMAGES * loss:.7f}" for n, loss in enumerate(losses)]
    return "\n".join(["group,class,images,right,loss", *rows]) + "\n"


@pytest.fixture
def store(database_url: str, home: Path) -> Iterator[Store]:
    """A store with four trials: the second clearly worse, the third alike, the fourth elsewhere."""
    home.mkdir()
    noise = np.random.default_rng(1).normal(0, 0.2, COUNT)
    alike = HARD + noise - noise.mean() + 0.001
    with Store.open(database_url) as store:
        study = make_study(store)
        for losses in (HARD, HARD + 0.05, alike, HARD[:-1] + 0.2):
            value = float(losses.mean())
            claim = begin_trial(store, study, [9.0, value])
            (home / GROUPS).write_text(table(losses))
            links = keep(artifact_store(str(home / "artifacts")), claim, home / GROUPS)
            store.tell(claim, finished(value, links=links))
        yield store


def test_the_difference_is_taken_over_the_same_groups(pages: TestClient) -> None:
    shown = pages.get("/s/toy/compare.json?t=0,1,2").json()
    worse, alike = shown["sentences"]

    assert worse["told"] == "Trial 1 is clearly worse than trial 0."
    assert worse["figures"].startswith("val_loss +0.0500 (95 %: +0.0500 to +0.0500)")
    assert alike["told"] == "Trial 2 cannot be told apart from trial 0."
    assert f"{COUNT} whole groups" in shown["basis"]


def test_trials_of_other_images_are_told_to_be_such(pages: TestClient) -> None:
    (sentence,) = pages.get("/s/toy/compare.json?t=0,3").json()["sentences"]

    assert "cannot be compared with trial 0" in sentence["told"]
    assert "measured on different images" in sentence["told"]


def test_only_what_differs_is_in_sight(pages: TestClient) -> None:
    shown = pages.get("/s/toy/compare.json?t=0,1").json()

    assert [row["name"] for row in shown["differing"]] == ["learning_rate"]
    assert [cell["is_strong"] for cell in shown["measures"][0]["cells"]] == [True, False]
    assert [key["name"] for key in shown["charts"][0]["keys"]] == ["trial 0", "trial 1"]


def test_without_numbers_the_best_ones_are_compared(pages: TestClient) -> None:
    shown = pages.get("/s/toy/compare.json").json()

    assert [column["number"] for column in shown["columns"]] == [0, 2, 1]
    assert shown["faults"] == []


# (in the address, the trials that are shown, a part of what is said)
WRONG = (
    ("abc", [], "'abc' is not the number of a trial"),
    ("1", [1], "a comparison takes 2 to 4 trials"),
    ("0,1,2,3,4,5,6,7,8", [0, 1, 2, 3], "9 trials are too many to compare"),
    ("0,99,1", [0, 1], "this study has no trial 99; it has trials 0 to 3"),
    ("0,0", [0], "a comparison takes 2 to 4 trials"),
    ("0,99999999999999999999,2", [0, 2], "is not the number of a trial"),
    ("<script>alert(1)</script>,0,1", [0, 1], "is not the number of a trial"),
)


def test_what_is_wrong_is_said_and_the_rest_is_shown(pages: TestClient) -> None:
    for asked, columns, fault in WRONG:
        shown = pages.get("/s/toy/compare.json", params={"t": asked}).json()
        page = pages.get("/s/toy/compare", params={"t": asked})

        assert [column["number"] for column in shown["columns"]] == columns, asked
        assert any(fault in each for each in shown["faults"]), asked
        assert page.status_code == 200, asked
        assert "<script>alert" not in page.text


def test_curves_stand_under_one_another_as_the_address_says(pages: TestClient) -> None:
    chart, *_ = pages.get("/s/toy/compare.json?t=0,1&align=minutes").json()["charts"]

    (_, first), *others = chart["x_ticks"]
    assert first == "0"
    assert all(text.endswith(" min") for _, text in others)
    assert others
