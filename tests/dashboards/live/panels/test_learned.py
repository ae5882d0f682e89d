"""The panels on trials, the best so far, priors and classes, as the server writes them."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dashboards.analysis import numbers
from dashboards.analysis.overview import Overview, OverviewReader
from dashboards.analysis.trials.ties import Basis, Compared, Ties
from dashboards.live.render import panels
from dashboards.live.view import View
from objectives.contract import CONFUSION_MATRIX, PER_CLASS
from spaces.params import Choice, Float, Int, Toggle
from storage.artifacts import artifact_store, keep
from storage.store import Store
from tests.dashboards.analysis.toy_trials import begin_trial, end_trial, make_study
from tests.storage.samples import ended, finished

SPACE = [
    Choice("backbone", ("resnet<18>", "resnet50")),
    Float("learning_rate", 1e-5, 1e-1, log=True),
    Int("epochs", 5, 20),
    Toggle("ldam"),
    Float("margin", 0.1, 0.8, when={"ldam": True}),
]
EVIL = "<script>alert(1)</script>"

Read = Callable[[], Overview]


@pytest.fixture
def store(database_url: str) -> Any:
    with Store.open(database_url) as store:
        yield store


@pytest.fixture
def read(store: Store, tmp_path: Path) -> Read:
    reader = OverviewReader(store, "toy", str(tmp_path / "artifacts"))
    return reader.read


def html(overview: Overview, name: str, **view: Any) -> str:
    return str(panels(overview, View(**view))[name])


def numbers_of(table: str) -> list[int]:
    return [int(number) for number in re.findall(r'<tr data-href="/s/toy/t/(\d+)"', table)]


def test_a_pruned_or_failed_trial_is_never_among_the_best(store: Store, read: Read) -> None:
    study = make_study(store, space=SPACE)
    end_trial(store, finished(0.3), study, curve=(0.4, 0.3))
    end_trial(store, ended("PRUNED", "pruned"), study, curve=(0.2, 0.1))
    end_trial(store, ended("FAIL", "code_error", f"ValueError: {EVIL}"), study)
    end_trial(store, finished(0.2), study, curve=(0.2,))
    begin_trial(store, study)
    overview = read()

    shown = {which: html(overview, "trials", which=which) for which in ("best", "pruned", "failed")}

    assert numbers_of(shown["best"]) == [3, 0]
    assert numbers_of(shown["pruned"]) == [1]
    assert "pruned after epoch 2" in shown["pruned"]
    assert numbers_of(shown["failed"]) == [2]
    assert "code error: ValueError: &lt;script&gt;" in shown["failed"]
    assert numbers_of(html(overview, "trials", which="running")) == [4]
    assert numbers_of(html(overview, "trials", which="all")) == [4, 3, 2, 1, 0]
    assert "Running 1" in shown["best"]
    assert 'href="?which=pruned" data-choice>Pruned 1' in shown["best"]


@pytest.mark.parametrize("which", ["best", "pruned", "all"])
def test_every_row_has_a_cell_for_every_head(store: Store, read: Read, which: str) -> None:
    study = make_study(store, space=SPACE)
    for value in (0.3, 0.4):
        claim = begin_trial(store, study)
        more = {"val_loss_low": value - 0.1, "val_loss_high": value + 0.1, "val_macro_auc": 0.9}
        store.record(claim, 1, more, value, seconds=1.0, images=10)
        store.tell(claim, finished(value))
    end_trial(store, ended("PRUNED", "pruned"), study, curve=(0.5,))

    table = html(read(), "trials", which=which)

    heads = re.findall(r"<th[ >]", table)
    rows = [re.findall(r"<td[ >]", row) for row in table.split("<tr data-href")[1:]]
    assert rows
    assert [len(cells) for cells in rows] == [len(heads)] * len(rows)
    assert ("95 % interval" in table) == (which != "pruned")


def test_the_divider_stands_after_the_last_trial_that_is_tied(store: Store, read: Read) -> None:
    study = make_study(store, space=SPACE)
    for value in (0.3, 0.31, 0.32, 0.5):
        end_trial(store, finished(value), study)
    compared = [
        Compared(trial=0, is_tied=True),
        Compared(trial=1, is_tied=False, basis=Basis.GROUPS),
        Compared(trial=2, is_tied=True, basis=Basis.GROUPS, weakest=EVIL, recall=0.5),
        Compared(trial=3, is_tied=False, basis=Basis.GROUPS),
    ]
    overview = replace(read(), ties=Ties(trials=compared, is_whole=True, groups=181))

    table = html(overview, "trials")

    above, below = table.split("clearly behind the best (paired over 181 groups)")
    assert (numbers_of(above), numbers_of(below)) == ([0, 1, 2], [3])
    assert "1 other cannot be told from the best" in table
    assert re.findall(r't/(\d)" class="(?:lead )?tied"', table) == ["0", "2"]
    assert EVIL not in table


def test_nothing_is_said_of_ties_and_intervals_that_are_unknown(store: Store, read: Read) -> None:
    study = make_study(store, space=SPACE, metric="val_top1", direction="maximize")
    for value in (0.7, 0.9, 0.8):
        end_trial(store, finished(value), study)

    overview = read()
    table = html(overview, "trials")

    assert "comes close" not in html(overview, "tiles")
    assert numbers_of(table) == [1, 2, 0]
    for panel in (table, html(overview, "tiles"), html(overview, "history")):
        assert numbers.percent(0.9) in panel  # a share reads the same wherever it stands
    assert 'aria-sort="descending"' in table
    assert not any(word in table for word in ("interval", "behind", "tied", "Intervals"))


def test_the_best_so_far_names_its_steps(store: Store, read: Read) -> None:
    make_study(store)
    assert "before the first trial has finished" in html(read(), "history")
    for value in (0.5, 0.7, 0.3):
        end_trial(store, finished(value))
    end_trial(store, ended("PRUNED", "pruned"), curve=(0.9,))

    drawn = html(read(), "history")

    assert "val_loss: 0.5000 in trial 0, the best so far 0.3000 in trial 2" in drawn
    assert re.findall(r"<title>#(\d): ([\d.]+)</title>", drawn) == [
        ("0", "0.5000"),
        ("2", "0.3000"),
    ]
    assert "pruned ones at what they had" in drawn


def test_a_prior_is_not_judged_early_and_then_in_a_sentence(store: Store, read: Read) -> None:
    study = make_study(store, space=SPACE)
    end_trial(store, finished(0.5), study)
    assert "11 more finished trials to go" in html(read(), "evidence")
    for number in range(20):
        end_trial(store, finished(0.5 + number / 100), study)

    drawn = html(read(), "evidence")

    assert drawn.count('<div class="param">') == len(SPACE)
    assert "holds the middle 80 % of the best 5" in drawn
    assert "where ldam is on" in drawn
    assert "resnet&lt;18&gt;" in drawn
    assert "resnet<18>" not in drawn


def test_the_classes_of_the_best_trial_are_text_and_never_markup(
    store: Store, read: Read, tmp_path: Path
) -> None:
    make_study(store)
    claim, links = begin_trial(store), {}
    files = {
        PER_CLASS: "class,images,groups,recall,recall_low,recall_high\n"
        f"Benign,2954,96,0.936,0.91,0.95\n{EVIL},12,12,0.5,0.3,0.7\n",
        CONFUSION_MATRIX: f"true class,taken for Benign,taken for x\nBenign,2765,189\n{EVIL},6,6\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
        links |= keep(artifact_store(str(tmp_path / "artifacts")), claim, tmp_path / name)
    store.tell(claim, finished(0.5, links=links))

    drawn = html(read(), "classes")

    assert "recall of trial 0, 95 % by group" in drawn
    assert "2,954 in 96 groups" in drawn
    assert 'title="Benign taken for &lt;script&gt;' in drawn
    assert EVIL not in drawn


def test_a_best_trial_without_tables_says_so(store: Store, read: Read) -> None:
    make_study(store)
    end_trial(store, finished(0.5))

    assert f"Trial 0 has no {PER_CLASS}." in html(read(), "classes")
