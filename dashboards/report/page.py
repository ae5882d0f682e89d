"""The report of a study: one page that needs nothing beside itself."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import dashboards
from dashboards.analysis import numbers, wording
from dashboards.analysis.methods.machines import package_name
from dashboards.analysis.methods.space import condition_of, prior_of, values_of
from dashboards.report import figures, words
from dashboards.report.comparison import BESIDE, compare_best, interval_of
from dashboards.report.facts import Facts, read_facts
from dashboards.report.lines import Step, no_step
from dashboards.report.methods import methods_paragraph
from dashboards.report.plotly_text import digest, packed_plotly, plotly_digest
from objectives import catalog
from spaces.shown import shown
from spaces.study import Study
from storage.rows import Outcome
from storage.store import Store

HERE, LIVE = (Path(dashboards.__file__).parent / room for room in ("report", "live"))
MOST_CONFUSED = 12  # classes of a confusion matrix that fits on a sheet of paper
TEST_USES = 50  # shown; a study that opens its test split more often has a larger problem
FILTERS = {
    "metric": numbers.metric,
    "percent": numbers.percent,
    "exact": numbers.exact,
    "short": numbers.short,
    "whole": numbers.whole,
    "shown": shown,
    "values_of": values_of,
    "prior_of": prior_of,
    "condition_of": condition_of,
    "package_name": package_name,
    "capitalised": lambda text: text[:1].upper() + text[1:],
}


def report_page(store: Store, name: str, artifacts: str, step: Step = no_step) -> str:
    """Return the report of a study as HTML; UnknownStudy where there is none.

    artifacts: the location of the artifact store.
    step: called with the work, how much of it is done, and all of it.
    """
    return page_of(read_facts(store, name, artifacts, step))


def page_of(facts: Facts) -> str:
    """Return the report that says these facts, as HTML."""
    drawn = _figures(facts)
    text = (
        _environment()
        .get_template("report.html")
        .render(
            **_result(facts),
            **_drawings(facts),
            facts=facts,
            study=facts.snapshot.study,
            look=facts.snapshot.look,
            found=facts.snapshot.stored.found,
            meaning=_meaning(facts.snapshot.study),
            methods=methods_paragraph(facts),
            pruning=words.pruning_of(facts.snapshot.study),
            attempts=words.attempts_of(facts.lines.trials),
            test_uses_shown=TEST_USES,
            policy=_policy(),
            style=Markup(_static("report.css")),
            script=Markup(_static("report.js")),
            figures=in_script(drawn),
            plotly=Markup(packed_plotly()) if drawn else "",
        )
    )
    # Half a pair of surrogates, which JSON may hold, is no text that a file can.
    return text.encode("utf-8", "replace").decode() + "\n"


@cache
def headers() -> Mapping[str, str]:
    """Return the security headers with which the report is served.

    The sandbox gives it an origin of its own, so that its script reads nothing of other pages.
    """
    served = f"{_policy()}; frame-ancestors 'none'; sandbox allow-scripts allow-downloads"
    return {"Content-Security-Policy": served}


def in_script(value: Any) -> Markup:
    """Return JSON that may stand in a script element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _result(facts: Facts) -> Mapping[str, Any]:
    snapshot = facts.snapshot
    by_metric = not snapshot.study.folds and snapshot.study.value == "best"
    return {
        "best": snapshot.look.ranking[:BESIDE],
        "no_best": wording.best(snapshot),
        "finished": snapshot.outcomes[Outcome.FINISHED],
        "measure": wording.measure(snapshot.study),
        "compared": list(compare_best(snapshot)),
        "interval": interval_of(snapshot.best, snapshot.study.metric) if by_metric else "",
    }


def _drawings(facts: Facts) -> Mapping[str, Any]:
    found, parallel = facts.importances, facts.parallel
    return {
        "recalls": list(figures.recall_marks(facts.classes)),
        "most_confused": MOST_CONFUSED,
        "marks_of_importances": list(figures.importance_marks(found)) if found else [],
        "no_importances": words.no_importances(len(facts.lines.finished)),
        "still": figures.still_parallel(parallel) if parallel else None,
        "parallel_words": figures.in_words(parallel) if parallel else "",
    }


def _meaning(study: Study) -> str:
    """Return what the study's metric means, in a sentence."""
    return str(catalog.describe(study.objective).metrics.get(study.metric, {}).get("doc", ""))


def _figures(facts: Facts) -> Sequence[figures.Figure]:
    drawn = []
    if facts.parallel:
        drawn.append(figures.parallel_figure(facts.parallel))
    if facts.importances:
        drawn.append(figures.importance_figure(facts.importances))
    return drawn


@cache
def _policy() -> str:
    """Return the content security policy: only our script and plotly's run, nothing is fetched.

    plotly writes style elements, and its parallel coordinates compile what they draw with.
    """
    scripts = f"{digest(_static('report.js').encode())} {plotly_digest()}"
    return (
        f"default-src 'none'; script-src {scripts} 'unsafe-eval'; style-src 'unsafe-inline';"
        " img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


@cache
def _static(name: str) -> str:
    return files("dashboards.report").joinpath("static", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    loader = FileSystemLoader([HERE / "templates", LIVE / "templates"])
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    return environment
