"""Templates, filled in: whole pages, and the panels of an overview one by one.

Every text is escaped (autoescape), so names from the database are only ever text.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dashboards.analysis import numbers
from dashboards.analysis.listing import StudyLine
from dashboards.analysis.overview import Overview
from dashboards.live.pages.trial import TrialPage
from dashboards.live.panels.attempts import attempts
from dashboards.live.panels.classes import classes
from dashboards.live.panels.curves import curves
from dashboards.live.panels.events import events
from dashboards.live.panels.evidence import evidence
from dashboards.live.panels.head import head, title
from dashboards.live.panels.history import history
from dashboards.live.panels.machines import machines
from dashboards.live.panels.studies import study_row
from dashboards.live.panels.tiles import tiles
from dashboards.live.panels.trials import trials
from dashboards.live.panels.verdict import verdict
from dashboards.live.panels.workers import workers
from dashboards.live.view import View
from dashboards.optuna.opening import optuna_seconds

log = logging.getLogger(__name__)

DEFAULT = View()
HERE = Path(__file__).parent
STATIC = HERE / "static"
# Every panel of the overview: its id and template are the name, its content is made here.
PANELS: Mapping[str, Callable[[Overview, View], Any]] = {
    "head": head,
    "verdict": verdict,
    "tiles": tiles,
    "workers": workers,
    "machines": machines,
    "curves": curves,
    "events": events,
    "attempts": attempts,
    "trials": trials,
    "history": history,
    "evidence": evidence,
    "classes": classes,
}
# All that the larger panels are made of, beside the study as its author wrote it.
SOURCES: Mapping[str, Callable[[Overview], object]] = {
    "curves": attrgetter("courses", "snapshot.running"),
    "events": attrgetter("happenings"),
    "machines": attrgetter("machines"),
    "attempts": attrgetter("lanes"),
    "history": attrgetter("history", "snapshot.look.counts.begun"),
    "evidence": attrgetter("evidence", "knowledge"),
    "classes": attrgetter("classes"),
}
TRIAL_PARTS = (
    "top",
    "failure",
    "curves",
    "attempts",
    "configuration",
    "numbers",
    "classes",
    "files",
)


def prepare() -> None:
    """Compile every template, which takes the first visitor a quarter of a second else."""
    for name in _environment().list_templates():
        _environment().get_template(name)


def page(template: str, **given: Any) -> str:
    """Fill in the template of a whole page."""
    return _environment().get_template(template).render(**given)


def study_page(
    template: str,
    overview: Overview,
    tab: str,
    panels: Mapping[str, Markup] | None = None,
    **given: Any,
) -> str:
    """Fill in the template of a page of one study.

    tab: the path of the page, as the tabs above it have it.
    panels: those of the page; without them its head alone.
    """
    snapshot = overview.snapshot
    return page(
        template,
        tab=tab,
        panels=panels or {"head": panel("head", overview)},
        study=snapshot.study,
        study_id=snapshot.look.study.study_id,
        optuna_seconds=optuna_seconds(snapshot.total),
        is_practice=snapshot.stored.found.is_practice,
        title=title(overview),
        **given,
    )


def panels(overview: Overview, view: View, before: Overview | None = None) -> dict[str, Markup]:
    """Fill in the panels of an overview; return their HTML by name.

    before: an earlier reading; panels whose sources are the same as then are left out.
    """
    names = [name for name in PANELS if before is None or _may_differ(name, before, overview)]
    return {name: panel(name, overview, view) for name in names}


def studies(
    lines: Sequence[StudyLine], view: View, before: Sequence[StudyLine] | None = None
) -> dict[str, Markup]:
    """Fill in the list of studies, the only panel of its page, unless it is the same as before."""
    if lines == before:
        return {}
    template = _environment().get_template("panels/studies.html")
    return {"studies": Markup(template.render(rows=list(map(study_row, lines))))}


def trial(read: tuple[Overview, TrialPage], view: View, before: object = None) -> dict[str, Markup]:
    """Fill in the parts of a trial's page, and the head above them."""
    overview, page = read
    parts = {
        f"trial-{part}": _part(f"trial/{part}", overview, lambda: {"page": page})
        for part in TRIAL_PARTS
    }
    return {"head": panel("head", overview), **parts}


def panel(name: str, overview: Overview, view: View = DEFAULT) -> Markup:
    """Fill in one panel."""

    def given() -> dict[str, Any]:
        return {"panel": PANELS[name](overview, view), "view": view}

    return _part(f"panels/{name}", overview, given)


def _part(name: str, overview: Overview, given: Callable[[], Mapping[str, Any]]) -> Markup:
    """Fill in the template of a part of a page; one that fails must not hide the others."""
    template = _environment().get_template(f"{name}.html")
    try:
        return Markup(template.render(**given(), study=overview.study))
    except Exception:
        log.exception("%s of study %s cannot be drawn", name, overview.study.name)
        return Markup('<p class="faint">This part cannot be drawn; see the dashboard\'s log.</p>')


def _may_differ(name: str, before: Overview, now: Overview) -> bool:
    if name not in SOURCES or before.snapshot.stored is not now.snapshot.stored:
        return True
    return SOURCES[name](before) != SOURCES[name](now)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"numbers": numbers, "static": _static, "now": _now}
    environment.globals["icons"] = environment.get_template("icons.html").module
    environment.filters |= {"moment": _moment, "ago": _ago, "commands": _commands}
    return environment


@cache
def _static(name: str) -> str:
    """Return the address of a static file, another one for other content."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()
    return f"/live/{name}?v={digest[:12]}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _moment(moment: datetime) -> Markup:
    """Write a moment as a clock time, which the script replaces by the reader's own."""
    return _time(moment, "clock")


def _ago(moment: datetime) -> Markup:
    """Write a moment as a clock time, which the script replaces by the time since."""
    return _time(moment, "ago")


def _commands(text: str) -> Markup:
    """Write a sentence whose commands stand in backticks, each as code."""
    parts = text.split("`")
    is_paired = len(parts) % 2 == 1
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if is_paired and at % 2 else part
        for at, part in enumerate(parts)
    )


def _time(moment: datetime, how: str) -> Markup:
    return Markup('<time datetime="{}" data-as="{}">{}</time>').format(
        moment.isoformat(timespec="seconds"), how, numbers.clock(moment)
    )
