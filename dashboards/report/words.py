"""Sentences of a report."""

from collections.abc import Sequence

from dashboards.analysis.methods.sections import and_so_on
from dashboards.analysis.numbers import counted, hours, span
from dashboards.report.importances import FEWEST
from dashboards.report.lines import TrialLine
from storage.live.hours import GpuSeconds
from storage.live.outages import OutageRow

OUTAGES = 50  # that are read; a study has few


def attempts_of(trials: Sequence[TrialLine], outages: Sequence[OutageRow]) -> str:
    """Say how often trials were interrupted and continued, and how long the database was away."""
    again = [trial.attempts - 1 for trial in trials if trial.attempts > 1]
    were = f"{counted(len(again), 'trial was', 'trials were')} interrupted and continued"
    said = (
        f"{were}, {counted(sum(again), 'time')} in all." if again else "No trial was interrupted."
    )
    if not outages:
        return said
    at_least = "at least " if len(outages) == OUTAGES else ""
    longest = max((each.ended_at - each.began_at).total_seconds() for each in outages)
    times = f"{at_least}{counted(len(outages), 'time')}, for {span(longest)} at most"
    waited = counted(sum(each.epochs for each in outages), "epoch")
    return f"{said} Workers trained on without the database {times}; {waited} waited for it."


def hours_of(found: GpuSeconds) -> str:
    """Say where the time of the devices went."""
    kinds = ("finished", "pruned", "failed", "running")
    parts = [
        f"{hours(getattr(found, kind))} in {kind} trials" for kind in kinds if getattr(found, kind)
    ]
    if found.lost:
        parts.append(f"{hours(found.lost)} lost with workers that ended")
    spent = f"{hours(found.total)} hours of all devices: {and_so_on(parts)}." if parts else ""
    saved = f" Pruning saved about {hours(found.saved)} hours." if found.saved else ""
    return spent + saved or "No time was spent yet."


def no_importances(finished: int) -> str:
    """Say why there are no importances."""
    if finished < FEWEST:
        return f"Not shown before {FEWEST} trials have finished; so far {finished} have."
    return "Not shown: too few finished trials have the values of this study's space."
