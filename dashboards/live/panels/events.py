"""The events of a study in a sentence each, the newest first."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards.analysis import numbers
from dashboards.analysis.attempts.happenings import Happening, Kind
from dashboards.analysis.overview import Overview
from dashboards.analysis.shown_metric import shown_metric
from dashboards.analysis.wording import slot_name
from dashboards.live.view import EVENTS, View
from spaces.exits import DEVICE_LOST
from storage.rows import Outcome

LONGEST = 200  # characters of a text from the database
SHAPES = {
    Kind.BEGAN: "waiting",
    Kind.ENDED: "finished",
    Kind.BEST: "best",
    Kind.FINISHED: "finished",
    Kind.PRUNED: "pruned",
    Kind.FAILED: "failed",
    Kind.DIED: "killed",
    Kind.BROKE: "killed",
    Kind.AWAY: "away",
    Kind.JOINED: "running",
    Kind.LEFT: "waiting",
    Kind.STOP: "warn",
    Kind.TEST: "warn",
}
# Why an attempt ended without its trial, after "its worker".
DEATHS = {
    "killed": "was killed",
    "stalled": "had made no step for too long and was killed",
    "device lost": "lost its GPU",
    "CUDA error": "ended by a CUDA error",
    "orphaned": "died with its supervisor",
    "lost": "went silent",
}


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event; `trial` is drawn before its text."""

    at: datetime
    shape: str
    trial: int | None
    text: str
    is_quiet: bool


@dataclass(frozen=True)
class Events:
    """The panel of events: the choices (words, address, whether it is on) and the events."""

    choices: Sequence[tuple[str, str, bool]]
    events: Sequence[Event]


def events(overview: Overview, view: View) -> Events:
    """Build the panel of events."""
    found = overview.happenings
    shown = found.every if view.events == "all" else found.notable
    choices = [(each.capitalize(), view.link(events=each), each == view.events) for each in EVENTS]
    return Events(choices, [_event(each, overview.study.metric) for each in shown])


def _event(found: Happening, metric: str) -> Event:
    text = " ".join(sentence(found, metric).split())
    return Event(
        at=found.at,
        shape=SHAPES[found.kind],
        trial=found.number,
        text=text,
        is_quiet=found.kind != Kind.BEST,
    )


def sentence(found: Happening, metric: str) -> str:
    """Say what happened, after the number of its trial where it has one.

    metric: of the study.
    """
    return {
        Kind.BEGAN: lambda _, __: "the study was made",
        Kind.ENDED: lambda each, _: f"the last of {numbers.counted(each.count, 'trial')} ended",
        Kind.BEST: lambda each, metric: f"new best {shown_metric(metric, each.value)}",
        Kind.FINISHED: lambda each, metric: f"finished {_value(each, metric)}",
        Kind.PRUNED: _pruned,
        Kind.FAILED: _failed,
        Kind.DIED: _died,
        Kind.BROKE: _broke,
        Kind.AWAY: _away,
        Kind.JOINED: lambda each, _: f"{_workers(each)} joined",
        Kind.LEFT: lambda each, _: f"{_workers(each)} left{_because(each.detail)}",
        Kind.STOP: _stop,
        Kind.TEST: _test,
    }[found.kind](found, metric)


def _value(found: Happening, metric: str) -> str:
    return shown_metric(metric, found.value) if found.value is not None else ""


def _pruned(found: Happening, _: str) -> str:
    return f"pruned{_because(found.detail)}"


def _failed(found: Happening, _: str) -> str:
    if found.reason == Outcome.ENDED_ELSEWHERE:
        return "ended by a person"
    return f"{found.reason.replace('_', ' ')}{_because(found.detail)}"


def _died(found: Happening, _: str) -> str:
    how = DEATHS.get(found.reason, f"ended ({found.reason})")
    goes_on = f"went on as attempt {found.attempt}; " if found.attempt else ""
    place = f" on {_place(found)}" if found.slot else ""
    return f"{goes_on}its worker{place} {how}{_cause(found)}"


def _broke(found: Happening, _: str) -> str:
    return f"the worker on {_place(found)} ended{_cause(found)}"


def _cause(found: Happening) -> str:
    """Say why a process ended; one that a signal ended has nothing to say of it in its log."""
    code = found.exit_code
    if code == DEVICE_LOST:  # the reason says it
        return _because(found.detail)
    if code is not None and code < 0:
        return f" by {_signal(-code)}"
    return f"{f' with exit code {code}' if code else ''}{_because(found.detail)}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _away(found: Happening, _: str) -> str:
    written = f", {numbers.counted(found.count, 'epoch')} written afterwards" if found.count else ""
    return f"database away for {numbers.span(found.seconds)}; training went on{written}"


def _stop(found: Happening, _: str) -> str:
    when = "at once" if found.reason == "now" else "after the epochs in flight"
    return f"the study was asked to stop, {when}"


def _test(found: Happening, _: str) -> str:
    return f"the test split was opened to {_short(found.reason)}, by {_short(found.detail)}"


def _workers(found: Happening) -> str:
    if found.count == 1:
        return f"worker {_place(found)}"
    host = found.slot.host if found.slot else "a host"
    return f"{found.count} workers of {host}"


def _place(found: Happening) -> str:
    return slot_name(found.slot) if found.slot else "a host"


def _because(detail: str) -> str:
    return f": {_short(detail)}" if detail.strip() else ""


def _short(text: str) -> str:
    """Return a text from the database in one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
