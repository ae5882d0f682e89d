"""The report of a study: one page that needs nothing beside itself."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import dashboards
from dashboards.analysis import numbers, wording
from dashboards.analysis.shown_metric import shown_interval, shown_metric
from dashboards.analysis.trials.measures import interval_of
from dashboards.live.render import STATIC, panel
from dashboards.report import figures, words
from dashboards.report.comparison import BESIDE, compare_best
from dashboards.report.facts import Facts, read_facts
from dashboards.report.lines import Step, no_step
from dashboards.report.methods import methods_paragraph
from dashboards.report.plotly_text import digest, packed_plotly, plotly_digest
from spaces.shown import shown
from storage.reader import StoreReader

HERE, LIVE = (Path(dashboards.__file__).parent / room for room in ("report", "live"))
SHOWN = ("trials", "curves", "history", "evidence", "classes")
# Autoescape leaves no quote and no tag within a text.
LINK = re.compile(r' (?:data-)?href="[^"]*"')
TITLE = re.compile(r"<title>[^<]*</title>")
DENSE = re.compile(r'<table class="cm dense">.*?</table>', re.DOTALL)
FILTERS = {
    "metric": shown_metric,
    "percent": numbers.percent,
    "whole": numbers.whole,
    "shown": shown,
}


def report_page(store: StoreReader, name: str, artifacts: str, step: Step = no_step) -> str:
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
            methods=methods_paragraph(facts),
            sections={section.name: section for section in facts.described.sections},
            attempts=words.attempts_of(facts.lines.trials, facts.outages),
            hours=words.hours_of(facts.overview.hours),
            policy=_policy(),
            panels={name: _still(panel(name, facts.overview)) for name in SHOWN},
            style=Markup(_style()),
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
    return {
        "best": snapshot.look.ranking[:BESIDE],
        "no_best": wording.best(snapshot),
        "finished": snapshot.finished,
        "measure": wording.measure(snapshot.study),
        "compared": list(compare_best(snapshot)),
        "interval": shown_interval(
            snapshot.study.metric, *interval_of(snapshot.study, snapshot.best)
        ),
    }


def _drawings(facts: Facts) -> Mapping[str, Any]:
    found, parallel = facts.importances, facts.parallel
    return {
        "marks_of_importances": list(figures.importance_marks(found)) if found else [],
        "no_importances": words.no_importances(len(facts.lines.finished)),
        "still": figures.still_parallel(parallel) if parallel else None,
        "parallel_words": figures.in_words(parallel) if parallel else "",
    }


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


def _still(panel: Markup) -> Markup:
    """Return a panel without its links, which lead nowhere from a file, and what weighs most.

    These are the titles of single points, and a matrix of so many classes that it has no heads.
    """
    for left_out in (LINK, TITLE, DENSE):
        panel = Markup(left_out.sub("", panel))
    return panel


@cache
def _style() -> str:
    """Return the style sheet of the pages, then the report's own; paper is always light."""
    pages = (STATIC / "live.css").read_text(encoding="utf-8")
    return pages.replace("@media (prefers", "@media screen and (prefers") + _static("report.css")


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
