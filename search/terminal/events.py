"""The events between two snapshots of a study, one line each."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from dashboards.analysis import wording
from dashboards.analysis.folds import folds_done
from dashboards.analysis.snapshot import FINAL, Snapshot
from storage.rows import TrialRow


@dataclass(frozen=True)
class Event:
    """One event of a study."""

    line: str
    is_ending: bool = False  # whether a trial ended, or a better one was found


def events(before: Snapshot | None, now: Snapshot) -> Iterator[Event]:
    """Yield the events since `before`, trial by trial; None stands for the first look."""
    if before is None:
        yield Event(wording.title(now))
        yield Event(f"{now.ended} of {now.study.trials} trials have ended; {wording.best(now)}")
    known = {trial.number: trial for trial in (before or now).running}
    for trial in sorted([*_ended(before, now), *now.running], key=attrgetter("number")):
        yield from _trial_events(now, known.get(trial.number), trial)
    if before and now.best and now.best != before.best:
        yield Event(f"new {wording.best(now)}", is_ending=True)
    if now.note and now.note != (before.note if before else ""):
        yield Event(now.note)


def _ended(before: Snapshot | None, now: Snapshot) -> Iterator[TrialRow]:
    """Yield the trials that have ended since `before`, which may be `now` with another note."""
    told = {trial.number for trial in before.look.ended} if before else set()
    yield from (trial for trial in now.look.ended if before and trial.number not in told)


def _trial_events(now: Snapshot, before: TrialRow | None, trial: TrialRow) -> Iterator[Event]:
    if trial.attempts > (before.attempts if before else 0):
        again = f", attempt {trial.attempts}" if trial.attempts > 1 else ""
        yield Event(f"trial {trial.number} began on {trial.worker}{again}")
    if trial.state in FINAL:
        yield Event(f"trial {trial.number} {wording.ending(now, trial)}", is_ending=True)
    elif trial.last and _milestone(now, trial) > (_milestone(now, before) if before else 0):
        value = f"{now.study.metric} {wording.number(trial.last.value)}"
        yield Event(f"trial {trial.number} epoch {wording.epochs(now, trial)}: {value}")


def _milestone(snapshot: Snapshot, trial: TrialRow) -> int:
    """Count the quarters of the schedule that are done, or the folds: each one gets a line."""
    if trial.last and snapshot.study.folds:
        return folds_done(trial.last.metrics)
    done, planned = trial.last.epoch if trial.last else 0, snapshot.planned_epochs(trial)
    return 4 * done // planned if planned else done
