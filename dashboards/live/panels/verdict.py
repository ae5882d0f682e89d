"""The verdict: is the run healthy, and what to do if not."""

from dataclasses import dataclass

from dashboards.analysis.overview import Overview
from dashboards.analysis.verdict import State, Verdict
from dashboards.live.view import View

IDLE = (State.WAITING, State.STOPPED)


@dataclass(frozen=True)
class Shown:
    """A verdict with its shape and tone."""

    verdict: Verdict
    shape: str
    tone: str


def verdict(overview: Overview, view: View) -> Shown:
    """Build the verdict of a study."""
    state = overview.verdict.state
    tone = state.tone if state.tone in ("warn", "fail") else "idle" if state in IDLE else ""
    shape = "finished" if state is State.RUNNING else state.shape  # all is well
    return Shown(overview.verdict, shape, tone)
