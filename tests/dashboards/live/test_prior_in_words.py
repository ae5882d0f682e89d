"""What the sampler knows of the priors: the same on page, in terminal, JSON and report."""

import csv
import json
import re
from collections.abc import Iterator
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from starlette.testclient import TestClient

from dashboards.analysis.frame import read_fields, read_frame
from dashboards.analysis.json_text import object_text
from dashboards.analysis.methods.sampler import drawn_by
from dashboards.analysis.numbers import THIN
from dashboards.analysis.overview import OverviewReader
from dashboards.analysis.priors.knowledge import Knowledge, read_knowledge
from dashboards.analysis.priors.ruling import Ruling
from dashboards.analysis.priors.words import known, told
from dashboards.analysis.trials.record import RecordReader
from dashboards.live.panels.configuration import draw_configuration
from dashboards.live.render import panels
from dashboards.live.view import View
from dashboards.report.fields import report_json
from dashboards.report.page import report_page
from search.terminal.status import print_status
from search.terminal.summary import summary
from spaces.params import Float, Toggle
from spaces.priors import Prior
from spaces.study import Study
from storage.rows import Drawing, Way
from storage.store import Store
from tests.conftest import execute
from tests.dashboards.analysis.toy_trials import begin_trial, end_trial, make_study
from tests.storage.samples import ended, finished

SPACE = [Float("learning_rate", 1e-4, 1, log=True, prior=Prior(1e-2)), Toggle("ldam", 0.8)]
WHY = {
    "model": "gp",
    "record": 0.714,
    "compared": {"with": 14, "without": 6},
    "trust": {"ldam": 0.07, "learning_rate": 0.93},
    "believed": ["learning_rate"],
}
EARLY = (Drawing(Way.PRIOR), Drawing(Way.UNIFORM))
RECORD = (
    f"he prior's record is 71{THIN}%; above 50{THIN}% trials drawn with it did better than those"
    " without"
)
LINES = (
    f"rior 71{THIN}% (14 with, 6 without): learning_rate .93, ldam .07 (not believed)",
    f"{RECORD} (as of trial 2)",
    "rawn: 1 from the prior, 1 uniformly, 1 by the model with the prior",
)


@pytest.fixture
def store(database_url: str, home: Path) -> Iterator[Store]:
    """A store with a study of two priors, and no trial."""
    home.mkdir()
    with Store.open(database_url) as store:
        make_study(store, space=SPACE)
        yield store


@pytest.fixture
def study() -> Study:
    return Study(
        name="toy", objective="toy_curve", metric="val_loss", direction="minimize", space=SPACE
    )


def printed(store: Store) -> str:
    """The output of `search status --study toy`."""
    console = Console(file=StringIO(), width=300)
    with console.capture() as capture:
        print_status(store, "toy", as_json=False, console=console)
    return capture.get()


def shown(html: str) -> str:
    """The text of a page."""
    return unescape(re.sub(r"<[^>]*>", "\n", html))


def test_page_json_terminal_and_report_tell_the_same_of_the_prior(
    pages: TestClient, store: Store, home: Path, study: Study
) -> None:
    for drawing in (*EARLY, Drawing(Way.MODEL_WITH_PRIOR, WHY)):
        end_trial(store, finished(0.5), study, drawing=drawing)

    page = pages.get("/s/toy.json").json()["knowledge"]
    status = json.loads("".join(object_text(read_fields(store, "toy"))))["knowledge"]
    report = json.loads(report_json(store, "toy", str(home)))["knowledge"]
    assert page == status == report
    assert page["trial"] == 2
    assert {name: page[name] for name in ("record", "compared", "trust")} == {
        name: WHY[name] for name in ("record", "compared", "trust")
    }
    assert page["ways"] == {"prior": 1, "uniform": 1, "model_with_prior": 1}

    for text in (
        shown(pages.get("/s/toy").text),
        printed(store),
        shown(report_page(store, "toy", str(home))),
    ):
        assert [line for line in LINES if line not in text] == []
    frame = read_frame(store, "toy")
    closing = "\n".join(summary(frame, 1, known=known(read_knowledge(store, frame.snapshot))))
    assert [line for line in LINES[:2] if line not in closing] == []


def test_data_and_methods_name_the_sampler_and_count_its_draws(
    pages: TestClient, store: Store, home: Path, study: Study
) -> None:
    for drawing in (*EARLY, Drawing(Way.MODEL_WITH_PRIOR, WHY)):
        end_trial(store, finished(0.5), study, drawing=drawing)

    page = " ".join(shown(pages.get("/s/toy/data").text).split())
    methods = json.loads(report_json(store, "toy", str(home)))["methods"]

    assert f"after that by {drawn_by(study)}" in page
    assert "from the prior 1 uniformly 1 by the model with the prior 1" in page
    assert " ".join(LINES[0].split()) in page
    assert "1 from the prior, 1 uniformly and 1 by the model with the prior." in methods
    assert (
        "Of the trials with results by trial 2, 14 with and 6 without the prior were drawn, at"
        " different times of the search, so that no test compares them; the sampler's own"
        f" comparison, the record of the prior, stood at 71{THIN}% (50{THIN}% for no difference;"
        " trust in each prior: learning_rate .93, ldam .07 (not believed))." in methods
    )


@pytest.mark.parametrize("few", [{"with": 14, "without": 3}, {"with": 3, "without": 4}])
def test_while_one_side_has_few_trials_nobody_is_told_who_did_better(
    pages: TestClient, store: Store, home: Path, study: Study, few: dict[str, int]
) -> None:
    for drawing in (*EARLY, Drawing(Way.MODEL_WITH_PRIOR, WHY | {"compared": few})):
        end_trial(store, finished(0.5), study, drawing=drawing)
    sides = f"{few['with']} with, {few['without']} without"

    methods = json.loads(report_json(store, "toy", str(home)))["methods"]

    for text in (shown(pages.get("/s/toy").text), printed(store)):
        assert f"rior: too few to say ({sides}); learning_rate .93, ldam .07 (not" in text
        assert "told once 4 trials drawn with it have ended and 4 drawn without" in text
        assert f"71{THIN}%" not in text
    assert f"{sides.replace(',', ' and')} the prior were drawn, too few to compare them." in methods
    assert f"71{THIN}%" not in methods
    trial = shown(pages.get("/s/toy/t/2").text)
    assert f"({sides}, too few to say)." in trial


def test_before_it_is_known_the_page_says_why_not(
    pages: TestClient, store: Store, study: Study
) -> None:
    for drawing in EARLY:
        end_trial(store, finished(0.5), study, drawing=drawing)

    for text in (shown(pages.get("/s/toy").text), printed(store)):
        assert "hether the prior helps is not known yet" in text
        assert "rawn: 1 from the prior, 1 uniformly" in text
        assert "record" not in text


def test_where_every_trial_was_given_beforehand_no_prior_is_spoken_of(study: Study) -> None:
    given = Knowledge(ways={Way.ENQUEUED: 5})

    assert told(given, study) == ["drawn: 5 as given beforehand"]


def test_the_trust_in_a_prior_stands_beside_its_verdict(
    pages: TestClient, store: Store, study: Study
) -> None:
    for _ in range(12):
        end_trial(store, finished(0.5), study, drawing=Drawing(Way.MODEL_WITH_PRIOR, WHY))

    panel = pages.get("/s/toy/panels").json()["panels"]["evidence"]

    heads = [shown(head).split("\n") for head in re.findall(r"<h3>.*?</h3>", panel)]
    parts = [[part.strip() for part in head if part.strip()] for head in heads]
    assert [head[:2] for head in parts] == [
        ["learning_rate", "trust .93"],
        ["ldam", "trust .07, not believed"],
    ]
    assert {head[2] for head in parts} <= {*Ruling}


def test_a_new_draw_reaches_the_open_page(store: Store, study: Study, home: Path) -> None:
    reader = OverviewReader(store, "toy", str(home))
    end_trial(store, finished(0.5), study, drawing=EARLY[0])
    before = reader.read()
    begin_trial(store, study, drawing=Drawing(Way.MODEL_WITH_PRIOR, WHY))

    after = reader.read()

    assert (before.knowledge.ways, before.knowledge.trial) == ({Way.PRIOR: 1}, None)
    assert after.knowledge.ways == {Way.PRIOR: 1, Way.MODEL_WITH_PRIOR: 1}
    assert after.knowledge.trial == 1
    assert "trust" not in panels(before, View())["evidence"]
    assert "learning_rate .93" in panels(after, View(), before)["evidence"]


def test_a_study_from_before_draws_were_noted_says_nothing_of_them(
    pages: TestClient, store: Store, study: Study, database_url: str, home: Path
) -> None:
    end_trial(store, finished(0.5), study, drawing=EARLY[0])
    execute(database_url, "DELETE FROM search_service.draws")

    page = pages.get("/s/toy.json").json()["knowledge"]

    assert (page["ways"], page["record"], page["trust"]) == ({}, None, {})
    html = report_page(store, "toy", str(home))
    for text in (shown(pages.get("/s/toy").text), printed(store), shown(html)):
        assert "drawn: " not in text.lower()
        assert "prior helps" not in text
    trial = pages.get("/s/toy/t/0.json").json()
    assert (trial["drawing"], trial["configuration"]["why"]) == (None, [])
    assert trial["configuration"]["origin"] == "Drawn by the sampler."


@pytest.mark.parametrize(
    ("drawing", "origin"),
    [
        (EARLY[0], "Drawn from the prior."),
        (EARLY[1], "Drawn uniformly, to have something to compare with."),
        (
            Drawing(Way.UNIFORM, {"model": "tpe", "redrawn": 9}),
            "Drawn uniformly, because other trials have all that the model drew.",
        ),
        (
            Drawing(Way.MODEL, {"model": "tpe"}),
            "Drawn by a tree-structured Parzen estimator (TPE) from the ended trials.",
        ),
        (Drawing(Way.MODEL), "Drawn by the model from the ended trials."),
        (
            Drawing(Way.MODEL_WITH_PRIOR, {"model": "gp"}),
            "Drawn by a Gaussian process from the ended trials and the prior.",
        ),
    ],
    ids=lambda each: each.way if isinstance(each, Drawing) else "",
)
def test_every_way_of_drawing_is_told_in_a_sentence(
    pages: TestClient, store: Store, study: Study, drawing: Drawing, origin: str
) -> None:
    end_trial(store, finished(0.5), study, drawing=drawing)

    page = pages.get("/s/toy/t/0.json").json()

    assert page["configuration"]["origin"] == origin
    assert page["drawing"] == {"way": drawing.way, "why": drawing.why}
    assert origin in shown(pages.get("/s/toy/t/0").text)


@pytest.mark.parametrize(
    ("changes", "origin"),
    [
        ({"sampler": "random"}, "Drawn uniformly, as the study asks."),
        ({"space": [Toggle("ldam")]}, "Drawn uniformly, before enough had ended."),
    ],
    ids=["random", "no prior"],
)
def test_where_no_prior_is_compared_a_uniform_draw_has_another_reason(
    database_url: str, home: Path, changes: Any, origin: str
) -> None:
    with Store.open(database_url) as store:
        study = make_study(store, **{"space": SPACE, **changes})
        end_trial(store, finished(0.5), study, drawing=EARLY[1])
        overview = OverviewReader(store, "toy", str(home)).read()
        record = RecordReader(str(home), "toy", 0).read(store, overview.snapshot)

    assert record
    assert draw_configuration(overview, record, []).origin == origin
    assert told(overview.knowledge, study) == ["drawn: 1 uniformly"]


def test_every_list_of_trials_says_how_each_was_drawn(
    pages: TestClient, store: Store, study: Study
) -> None:
    end_trial(store, finished(0.5), study, drawing=Drawing(Way.MODEL_WITH_PRIOR, WHY))
    end_trial(store, finished(0.5), study)

    status = json.loads("".join(object_text(read_fields(store, "toy"))))["trials"]
    table = list(csv.DictReader(pages.get("/s/toy/trials.csv").text.splitlines()))

    def fitting(words: str) -> list[int]:
        rows = pages.get("/s/toy/trials.json", params={"q": words}).json()["rows"]
        return [row["number"] for row in rows]

    assert fitting("drawn=model_with_prior") == [0]
    assert fitting("drawn!=model_with_prior") == [1]
    assert "model with prior" in shown(pages.get("/s/toy/trials").text)
    fault = shown(pages.get("/s/toy/trials", params={"q": "drawn=priors"}).text)
    assert "drawn has =, != and one of enqueued, prior, uniform, model, model_with_prior" in fault

    noted = {"way": "model_with_prior", "why": WHY}
    assert [trial["drawing"] for trial in status] == [noted, None]
    assert [row["drawn"] for row in table] == ["model_with_prior", ""]


def test_the_page_counts_the_finished_trials_that_are_guaranteed_to_an_option(
    database_url: str, home: Path
) -> None:
    with Store.open(database_url) as store:
        study = make_study(store, space=[Toggle("ldam")], at_least={"ldam": 3})
        end_trial(store, finished(0.5), study)
        end_trial(store, ended("FAIL", "code_error", ""), study)
        overview = OverviewReader(store, "toy", str(home)).read()

    (counts,) = overview.evidence.guaranteed.values()
    assert sorted(counts.values()) == [0, 1]
    assert f"ldam, of those guaranteed: off {counts['off']} of 3, on {counts['on']} of 3" in shown(
        panels(overview, View())["evidence"]
    )


def test_programs_are_told_the_sampler_and_the_pruning_that_a_study_leaves_open(
    store: Store,
) -> None:
    told = json.loads("".join(object_text(read_fields(store, "toy"))))

    assert told["sampler"]["name"] == "auto"
    assert told["sampler"]["draws_by"].startswith("a Gaussian process up to 200 ended trials")
    assert told["pruning"]["rule"] == "auto"
    assert "at 1/6, 1/3 or 2/3" in told["pruning"]["stops"]


def test_a_trial_tells_the_knowledge_by_which_it_was_drawn(
    pages: TestClient, store: Store, study: Study
) -> None:
    more = {"guaranteed": {"ldam": True}, "redrawn": 2}
    end_trial(store, finished(0.5), study, drawing=Drawing(Way.MODEL_WITH_PRIOR, WHY | more))

    text = shown(pages.get("/s/toy/t/0").text)

    assert f"T{RECORD} (14 with, 6 without)." in text
    assert "Trust in each prior: ldam .07 (not believed), learning_rate .93." in text
    assert "ldam is on, because the study asks for trials of it." in text
    assert "Drawn again 2 times, because another trial has the same values." in text


def test_a_pruned_trial_tells_at_which_rung_it_was_stopped_and_among_whom(
    pages: TestClient, store: Store, study: Study
) -> None:
    rung = "rung 2 of 3, epoch 5: rank 9 of 14 (balancing=ldam); the best 5 went on"
    end_trial(store, ended("PRUNED", "pruned", rung), study, curve=(0.5,))

    assert f"Stopped at {rung}." in pages.get("/s/toy/t/0").text
    assert f'title="{rung}"' in pages.get("/s/toy?which=pruned").text
