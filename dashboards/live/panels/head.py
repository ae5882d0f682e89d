"""The head of a study's pages: its name, state and question."""

from collections.abc import Iterator
from dataclasses import dataclass

from dashboards.analysis.attempts.happenings import Kind
from dashboards.analysis.numbers import counted, metric
from dashboards.analysis.overview import Overview
from dashboards.analysis.verdict import State
from dashboards.live.view import View
from spaces.data import NoData


@dataclass(frozen=True, kw_only=True)
class Head:
    """The name, the state and the question of a study.

    title: of the browser's window.
    facts: what is known of it in a few words each.
    ended, best: what the script compares with the last look of this reader.
    deaths: the moments of the latest ones, in seconds since 1970, for the same.
    """

    name: str
    state: State
    title: str
    facts: list[str]
    ended: int
    best: str
    deaths: list[int]
    is_live: bool
    can_stop: bool
    can_grow: bool


def head(overview: Overview, view: View) -> Head:
    """Build the head of a study's pages."""
    snapshot, study = overview.snapshot, overview.study
    best = snapshot.best
    return Head(
        name=study.name,
        state=overview.verdict.state,
        title=title(overview),
        facts=list(_facts(overview)),
        ended=snapshot.ended,
        best=metric(best.value) if best else "",
        deaths=[
            int(each.at.timestamp())
            for each in overview.happenings.notable
            if each.kind in (Kind.DIED, Kind.BROKE)
        ],
        is_live=bool(snapshot.live_workers),
        can_grow=not snapshot.stored.found.promoted_from,
        can_stop=bool(snapshot.live_workers) and not snapshot.look.study.stop,
    )


def title(overview: Overview) -> str:
    """Return the title of a window: the study and how far it is."""
    return f"{overview.study.name} · {overview.snapshot.ended} of {overview.study.trials}"


def _facts(overview: Overview) -> Iterator[str]:
    study, look = overview.study, overview.snapshot.look
    if study.about:
        yield " ".join(study.about.split())
    if not isinstance(study.data, NoData) and study.has_test:
        uses = len(look.test_uses)
        yield f"test split opened {counted(uses, 'time')}" if uses else "test split never opened"
