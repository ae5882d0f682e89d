"""The state of a study, and one sentence on it that ends with the next step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from dashboards.analysis.notes import notes_of
from dashboards.analysis.numbers import clock, counted, span
from dashboards.analysis.snapshot import Snapshot
from spaces.exits import DEVICE_LOST, LASTING
from storage.rows import WorkerRow

BEGINS = "a run that has just begun needs up to a minute"


class State(StrEnum):
    """The state of a study; `label` is its word on pages."""

    WAITING = "waiting"  # trials are left, nobody trains
    STARTING = "starting"  # workers are there, no epoch is over yet
    RUNNING = "running"
    STALLED = "stalled"  # a trial makes no step
    STOPPING = "stopping"  # somebody asked for it; the workers end their epochs
    AWAY = "away"  # the database does not answer
    STOPPED = "stopped"  # somebody asked for it
    FAILED = "failed"  # it stopped by itself
    FINISHED = "finished"

    @property
    def label(self) -> str:
        """The state in a word or two."""
        return "Database away" if self is State.AWAY else self.value.capitalize()

    @property
    def tone(self) -> str:
        """The kind of news: "", "ok", "run", "warn" or "fail"."""
        return TONES.get(self, "")

    @property
    def shape(self) -> str:
        """The name of the icon that stands beside the word."""
        return SHAPES.get(self, "waiting")


TONES = {
    State.STARTING: "run",
    State.RUNNING: "run",
    State.STALLED: "warn",
    State.AWAY: "warn",
    State.FAILED: "fail",
    State.FINISHED: "ok",
}
SHAPES = {
    State.STARTING: "running",
    State.RUNNING: "running",
    State.STALLED: "warn",
    State.AWAY: "away",
    State.FAILED: "failed",
    State.FINISHED: "finished",
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A study's state in a sentence.

    title: the sentence's first words.
    text: the rest of it; with its fix, unless that is a command.
    command: the next command to type, "" for none.
    notes: remarks in a few words on workers that could do better.
    """

    state: State
    title: str
    text: str
    command: str = ""
    notes: Sequence[str] = ()

    @property
    def line(self) -> str:
        """The whole verdict in one line."""
        return " ".join(filter(None, (self.title, self.text, self.command)))


def verdict_of(snapshot: Snapshot, ended_workers: Sequence[WorkerRow]) -> Verdict:
    """Judge a study, the worst first.

    ended_workers: those that ended last, newest first.
    """
    total, name = snapshot.study.trials, snapshot.study.name
    again = f"search run --study {name}"
    live, stop = snapshot.live_workers, snapshot.look.study.stop
    if snapshot.ended >= total:
        return _finished(snapshot)
    if not live and not stop and (broken := _ended_by_itself(ended_workers)):
        return _stopped_by_itself(broken, again)
    left = counted(total - snapshot.ended, "trial")
    if not live and stop:
        return Verdict(
            state=State.STOPPED,
            title="Stopped by request.",
            text=f"{left} left. Go on with",
            command=again,
        )
    if not live:
        was_here = ended_workers or snapshot.ended
        nobody = "nobody trains" if was_here else "no worker has registered yet"
        return Verdict(
            state=State.WAITING,
            title="Waiting for a worker.",
            text=f"{left} left and {nobody}; {BEGINS}. Start one with",
            command=f"{again} --workers 1",
        )
    if stalled := [worker for worker in live if worker.is_overdue]:
        return _stalled(stalled, len(live))
    return _at_work(snapshot, live, ended_workers)


def database_away(verdict: Verdict, since: datetime, read_at: datetime | None) -> Verdict:
    """Return the verdict while the database does not answer.

    since: the first time that it did not.
    read_at: the moment of everything else that is shown.
    """
    seen = f"; the rest of this page is from {clock(read_at)}" if read_at else ""
    return replace(
        verdict,
        state=State.AWAY,
        title=f"Database away since {clock(since)}.",
        text=f"Workers go on training and keep their epochs{seen}. It is asked again every 2 s.",
        command="",
        notes=(),
    )


def _finished(snapshot: Snapshot) -> Verdict:
    look, name = snapshot.look, snapshot.study.name
    done = f"{snapshot.ended} of {snapshot.study.trials} trials have ended"
    if snapshot.best is None:
        return Verdict(
            state=State.FINISHED,
            title="Finished.",
            text=f"{done}, and none with a value. See why with",
            command=f"search status --study {name}",
        )
    opened = counted(len(look.test_uses), "time")
    test = f" The test split was opened {opened}." if look.test_uses else ""
    return Verdict(
        state=State.FINISHED,
        title="Finished.",
        text=f"{done}.{test} Take the best one with",
        command=f"search export --study {name} --trial best --out best.yaml",
    )


def _stopped_by_itself(worker: WorkerRow, again: str) -> Verdict:
    reason = worker.reason or f"worker {worker.worker} ended with exit code {worker.exit_code}"
    has_fix = "`search " in reason
    return Verdict(
        state=State.FAILED,
        title="Stopped by itself:",
        text=reason if has_fix else f"{reason}. Mend it and go on with",
        command="" if has_fix else again,
    )


def _stalled(stalled: Sequence[WorkerRow], live: int) -> Verdict:
    worker = stalled[0]
    others = f" {_train(live - len(stalled), live)}." if live > len(stalled) else ""
    return Verdict(
        state=State.STALLED,
        title="Stalled.",
        text=f"Worker {worker.worker} has made no step for {span(worker.silent_seconds)}. Its trial"
        f" goes on elsewhere. The run that started it replaces it; without a run, end process"
        f" {worker.pid} on {worker.host}.{others}",
    )


def _train(training: int, live: int) -> str:
    return f"{training} of {counted(live, 'worker')} {'trains' if training == 1 else 'train'}"


def _at_work(
    snapshot: Snapshot, live: Sequence[WorkerRow], ended_workers: Sequence[WorkerRow]
) -> Verdict:
    training = [worker for worker in live if worker.trial is not None]
    lasts = [trial.last for trial in snapshot.running if trial.last]
    workers, here = _train(len(training), len(live)), f"{counted(len(live), 'worker')} here"
    failed = f"{counted(snapshot.failed, 'trial')} failed so far"
    failures = f", {failed}" if snapshot.failed else ", nothing failed"
    if snapshot.look.study.stop:
        return Verdict(
            state=State.STOPPING,
            title="Stopping.",
            text=f"{workers}{failures}. They end their epochs; nothing of these is lost.",
        )
    notes = tuple(notes_of(snapshot, live, ended_workers))
    if not snapshot.ended and not lasts:
        why = "no epoch is over yet" if training else "none has a trial yet"
        return Verdict(state=State.STARTING, title="Starting.", text=f"{here}, {why}.", notes=notes)
    return Verdict(
        state=State.RUNNING,
        title="Healthy." if training else "Between trials.",
        text=f"{workers if training else f'{here}, none has a trial yet'}{failures}.",
        notes=notes,
    )


def _ended_by_itself(workers: Sequence[WorkerRow]) -> WorkerRow | None:
    """Return the worker that ended last, if another start of it would end the same way."""
    return workers[0] if workers and workers[0].exit_code in (*LASTING, DEVICE_LOST) else None
