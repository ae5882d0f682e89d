"""The pages that change a study: each names what will happen and asks again before it does."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request

from dashboards.analysis.numbers import counted
from dashboards.analysis.overview import Overview
from dashboards.changes import end_trial, set_total, stop_study
from spaces.errors import StudyError
from storage.store import Store

log = logging.getLogger(__name__)

ADDED = 20  # trials, as the form proposes


@dataclass(frozen=True, kw_only=True)
class Action:
    """An action before it is done.

    name: the last part of its address.
    title: what is asked.
    will: what will happen, a sentence each.
    command: the command that does the same, for readers who may not write.
    button: the word on the button.
    fields: hidden fields of the form.
    number: the name, words and value of a number that the form asks for; None for none.
    """

    name: str
    title: str
    will: list[str]
    command: str
    button: str
    fields: Mapping[str, str]
    number: tuple[str, str, int] | None = None


def asked(name: str, overview: Overview, query: Mapping[str, str]) -> Action:
    """Return an action of that name with its consequences; StudyError for one that cannot be."""
    if name not in ASKED:
        raise StudyError(f"there is no action {name!r}", f"use one of {', '.join(ASKED)}")
    return ASKED[name](overview, query)


def done(name: str, study: str, fields: Mapping[str, str], store: Store) -> str:
    """Do an action and return what it did, in a sentence."""
    if name == "stop":
        return stop_study(store, study, "now" if fields.get("how") == "now" else "drain")
    if name == "end-trial":
        return end_trial(store, study, whole(fields.get("trial", ""), "trial"))
    if name == "add-trials":
        return set_total(store, study, whole(fields.get("total", ""), "total"))
    raise StudyError(f"there is no action {name!r}", f"use one of {', '.join(ASKED)}")


def back(overview: Overview, fields: Mapping[str, str]) -> tuple[str, str]:
    """Return the words and the address of the way back: to the trial, or to the study."""
    name, trial = overview.study.name, fields.get("trial", "")
    base = f"/s/{quote(name)}"
    is_number = trial.isascii() and trial.isdigit() and len(trial) < 8
    return (
        ("Back to the trial", f"{base}/t/{int(trial)}") if is_number else (f"Back to {name}", base)
    )


def whole(text: str, name: str) -> int:
    """Return a whole number of a form or an address; StudyError for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise StudyError(f"{name} {text[:40]!r} is not a whole number", "write one from 0 on")
    return int(text)


def note(request: Request, study: str, sentence: str) -> None:
    """Write into the log who did what; the log has the time."""
    log.info("%s, on the page of %s: %s", request.state.visitor, study, sentence)


def _stop(overview: Overview, query: Mapping[str, str]) -> Action:
    study, snapshot = overview.study, overview.snapshot
    is_now = query.get("how") == "now"
    open_trials = max(0, study.trials - snapshot.ended)
    left = counted(open_trials, "trial")
    when = (
        "at once; the epochs in flight are trained again later"
        if is_now
        else "after its epoch in flight"
    )
    return Action(
        name="stop",
        title=f"Stop {study.name}?",
        will=[
            f"Each worker ({len(overview.workers)} now) ends {when}.",
            f"{left} {'stays' if open_trials == 1 else 'stay'} to be done; nothing that was"
            " recorded is lost.",
            f"Go on with search run --study {study.name}.",
        ],
        command=f"search stop --study {study.name}{' --now' if is_now else ''}",
        button="Stop now" if is_now else "Stop after the epochs",
        fields={"how": "now" if is_now else "drain"},
    )


def _end_trial(overview: Overview, query: Mapping[str, str]) -> Action:
    study, number = overview.study, whole(query.get("trial", ""), "trial")
    running = overview.snapshot.running_trial(number)
    here = f"It runs on {running.worker}, which" if running and running.worker else "Its worker"
    return Action(
        name="end-trial",
        title=f"End trial {number} of {study.name}?",
        will=[
            f"{here} stops it at its next step and takes another one.",
            "It counts as failed and is never the best; its epochs stay. This cannot be undone.",
        ],
        command=f"search stop --study {study.name} --trial {number}",
        button=f"End trial {number}",
        fields={"trial": str(number)},
    )


def _add_trials(overview: Overview, _: Mapping[str, str]) -> Action:
    study = overview.study
    total = study.trials + ADDED
    idle = "" if overview.workers else " Nobody trains now: start workers with the command below."
    return Action(
        name="add-trials",
        title=f"Let {study.name} go on to more trials?",
        will=[f"Its total is {study.trials} now. Workers take trials up to the new one.{idle}"],
        command=f"search run --study {study.name} --trials {total}",
        button="Set the total",
        fields={},
        number=("total", "trials in all", total),
    )


ASKED: Mapping[str, Callable[[Overview, Mapping[str, str]], Action]] = {
    "stop": _stop,
    "end-trial": _end_trial,
    "add-trials": _add_trials,
}
