"""What a report says in every state of a study, and how large it is."""

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import pytest

from dashboards.report.facts import Facts, read_facts
from dashboards.report.methods import methods_paragraph
from dashboards.report.page import page_of, report_page
from dashboards.report.sources import sources
from spaces.found import Found
from spaces.params import Float, Toggle
from spaces.priors import Prior
from spaces.script import Script
from spaces.stored import StoredStudy
from spaces.study import Pruning, Study
from storage.store import Claim, Store
from tests.dashboards.report.planted import OWN, STUDY, plant
from tests.storage.samples import ended, finished, new_worker

SMALL = replace(STUDY, trials=3)
TOY = Study(
    name="toy",
    objective="toy_curve",
    metric="val_loss",
    direction="minimize",
    trials=3,
    space=[Float("learning_rate", 1e-4, 1, log=True)],
)
MEGABYTES = 1_000_000


def begin(store: Store, study: Study) -> Claim:
    """Claim the next trial of a study and record an epoch of it."""
    store.register_worker(study.name, new_worker("ada"))
    claim = store.claim(study.name, "ada", lease_seconds=30)
    assert isinstance(claim, Claim)
    with store.trial(claim) as trial:
        study.space.suggest(trial)
    store.record(claim, 1, {"val_loss": 0.5}, 0.5, seconds=1.0, images=10)
    return claim


def empty(store: Store) -> str:
    plant(store, SMALL)
    return SMALL.name


def running(store: Store) -> str:
    plant(store, SMALL)
    begin(store, SMALL)
    return SMALL.name


def one_finished(store: Store) -> str:
    plant(store, SMALL)
    store.tell(begin(store, SMALL), finished(0.5))
    return SMALL.name


def none_finished(store: Store) -> str:
    study = replace(SMALL, trials=1)
    plant(store, study)
    store.tell(begin(store, study), ended("FAIL", "code_error", "no such thing"))
    return study.name


def toy(store: Store) -> str:
    plant(store, TOY)
    store.tell(begin(store, TOY), finished(0.5))
    return TOY.name


def with_folds(store: Store) -> str:
    study = replace(SMALL, folds=5)
    plant(store, study)
    store.tell(begin(store, study), finished(0.5))
    return study.name


def practice(store: Store) -> str:
    study = SMALL.for_practice()
    plant(store, study, Found(is_practice=True))
    return study.name


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (empty, "no trial is complete yet"),
        (running, "1 running: this report is not the last word"),
        (one_finished, "the best of 1 finished"),
        (none_finished, "trial 0: no such thing"),
        (toy, "The study declares no test split"),
        (with_folds, "mean over them"),
        (practice, "Practice data. The images are generated"),
    ],
)
def test_every_state_of_a_study_has_a_report(
    store: Store, tmp_path: object, state: Callable[[Store], str], said: str
) -> None:
    html = report_page(store, state(store), str(tmp_path))
    assert said in html
    assert html.endswith("</html>\n")


def test_a_report_of_1000_trials_is_below_2_megabytes(facts: Facts) -> None:
    assert len(page_of(facts).encode()) < 2 * MEGABYTES


def test_without_a_drawing_plotly_stays_out(store: Store, tmp_path: object) -> None:
    assert len(report_page(store, empty(store), str(tmp_path))) < 0.05 * MEGABYTES


def test_one_report_is_the_same_as_the_next(facts: Facts) -> None:
    assert page_of(facts) == page_of(facts)


def test_the_methods_name_the_versions_of_the_workers_and_nothing_of_a_newer_search(
    facts: Facts,
) -> None:
    text = methods_paragraph(facts)
    assert "search 0.0.9, Optuna 5.0.0, PyTorch 2.15.0 and Python 3.12.1" in text
    assert "Parzen" not in text


def test_the_methods_name_versions_that_were_accepted(store: Store, tmp_path: object) -> None:
    known = {"versions": {"timm": "1.0.20"}, "instead_of": {"timm": "1.0.31"}}
    accepted = [{"at": f"2026-11-2{day}T09:05:00+00:00", "host": "b", **known} for day in (7, 8)]
    found = Found(versions={"timm": "1.0.31"}, accepted_versions=accepted)
    plant(store, replace(STUDY, name="others"), found, count=10)
    text = methods_paragraph(read_facts(store, "others", str(tmp_path)))
    assert "Other versions were accepted on the way: timm 1.0.20, not 1.0.31." in text


def test_the_methods_name_the_code_of_a_script_and_claim_nothing_that_it_alone_knows(
    store: Store, tmp_path: object
) -> None:
    study = replace(STUDY, name="own", objective=Script("python train.py"))
    own = {**OWN, "accepted": [{"at": "2026-11-28T09:05:00+00:00", "changed": ["train.py"]}]}
    plant(store, study, Found(own=own), count=10)
    text = methods_paragraph(read_facts(store, "own", str(tmp_path)))
    assert "hyperparameters of the script python train.py (SHA-256 of its files" in text
    assert "commit 0123abcd0123) were searched with" in text
    assert "Its code was changed 1 time meanwhile." in text
    assert "value was val_loss as the script reported it (lower is better)" in text
    assert "validation split" not in text
    assert "kept their defaults" not in text


def test_the_methods_name_the_sampler_where_this_search_drew_the_values(facts: Facts) -> None:
    ours = replace(facts.machines, versions={"search": [version("search")]})
    text = methods_paragraph(replace(facts, machines=ours))
    assert "Tried first were the most probable values of the priors" in text
    assert "tree-structured Parzen estimator" in text


@pytest.mark.parametrize(
    ("changes", "cited", "left_out"),
    [
        ({}, ["Jones, Sch", "Karnin"], ["Bergstra", "Hvarfner", "Nadeau"]),
        ({"sampler": "tpe"}, ["Bergstra"], ["Jones"]),
        ({"sampler": "random"}, ["Karnin"], ["Jones", "Bergstra", "Hvarfner"]),
        ({"trials": 300}, ["Jones", "Bergstra"], ["Hvarfner"]),
        ({"space": [Float("dropout", 0, 0.5, prior=Prior(0.1))]}, ["Hvarfner"], ["Bergstra"]),
        ({"pruning": Pruning("median")}, ["Jones"], ["Karnin"]),
        ({"folds": 5}, ["Nadeau"], ["Karnin"]),
    ],
)
def test_the_methods_cite_what_was_used_and_nothing_else(
    changes: dict[str, Any], cited: list[str], left_out: list[str]
) -> None:
    text = sources(StoredStudy(replace(TOY, **{"trials": 40, **changes})), is_sampler_known=True)

    assert [each for each in ("Akiba", *cited) if each not in text] == []
    assert [each for each in left_out if each in text] == []


def test_a_guarantee_is_told_whatever_version_drew_the_values(facts: Facts) -> None:
    asked = StoredStudy(replace(TOY, space=[Toggle("ldam")], trials=10, at_least={"ldam": 5}))
    frame = replace(facts.overview.frame, snapshot=replace(facts.snapshot, stored=asked))

    text = methods_paragraph(replace(facts, overview=replace(facts.overview, frame=frame)))

    assert "Every option of ldam was to get 5 finished trials; until then none" in text


def test_uses_of_the_test_split_are_listed(store: Store, tmp_path: object) -> None:
    plant(store, SMALL)
    store.note_test_use(SMALL.name, "ada", "confirm")
    assert "<td>confirm</td><td>ada</td>" in page_of(read_facts(store, SMALL.name, str(tmp_path)))
