"""A study at one moment: sums and a few rows, whose number does not grow with the study."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from spaces.stored import StoredStudy, from_json
from spaces.study import Study
from storage.looks import Look
from storage.reader import StoreReader
from storage.rows import Outcome, TrialRow, WorkerRow

SILENCE_SECONDS = 120  # a waiting worker asks the database for a trial every few seconds
FINAL = ("COMPLETE", "PRUNED", "FAIL")


@dataclass(frozen=True)
class Snapshot:
    """A study at one moment.

    look: the stored rows: sums over the trials, the best and the running ones, and those that have
        ended since the snapshot before.
    stored: the study that the rows define.
    note: a remark for the reader in one line, as "the workers are starting".
    """

    look: Look
    stored: StoredStudy
    note: str = ""

    @property
    def study(self) -> Study:
        """The study as its author wrote it."""
        return self.stored.study

    @property
    def total(self) -> int:
        """The number of trials, those of the queue included."""
        return self.look.counts.total

    @property
    def ended(self) -> int:
        """The number of trials that have ended, in any way."""
        return self.look.counts.ended

    @property
    def running(self) -> Sequence[TrialRow]:
        """The trials that have begun and not ended, whether a worker has them now or not."""
        return self.look.running

    @property
    def outcomes(self) -> Counter[str]:
        """The number of trials that have ended, by Outcome, in the order of the first ones."""
        firsts = sorted(self.look.firsts.items(), key=lambda item: item[1].number)
        return Counter({str(outcome): self.look.outcomes[outcome] for outcome, _ in firsts})

    @property
    def finished(self) -> int:
        """The number of trials that went through their schedule here."""
        return self.look.outcomes.get(Outcome.FINISHED, 0)

    @property
    def pruned(self) -> int:
        """The number of trials that the study's pruner stopped."""
        return self.look.outcomes.get(Outcome.PRUNED, 0)

    @property
    def failed(self) -> int:
        """The number of trials that ended in any other way."""
        return self.ended - self.finished - self.pruned

    @property
    def best(self) -> TrialRow | None:
        """The trial with the best value, of those that finished here.

        The value of one that was added or ended elsewhere is not measured by the study.
        """
        return next(iter(self.look.ranking), None)

    @property
    def live_workers(self) -> list[WorkerRow]:
        """The workers at work now, on this machine and on others."""
        return at_work(self.look.workers)

    def running_trial(self, number: int | None) -> TrialRow | None:
        """Find the running trial of that number; None where there is none."""
        return next((trial for trial in self.running if trial.number == number), None)

    def planned_epochs(self, trial: TrialRow) -> int | None:
        """Return the length of a trial's schedule in epochs; with folds, of each fold.

        None where its configuration has no `epochs`.
        """
        epochs = self.stored.config(trial.params).get("epochs")
        return int(epochs) if epochs else None

    def remaining_device_seconds(self) -> float | None:
        """Estimate the time that all devices together will still train.

        None before a trial has ended, without a worker, and after the end. A trial's duration is
        its epochs times the seconds of its last epoch, so that nights between attempts do not
        count.
        """
        open_trials = self.study.trials - self.ended
        if not self.look.timed_trials or not self.live_workers or open_trials <= 0:
            return None
        typical = self.look.trained_seconds / self.look.timed_trials
        spent = sum(
            min(typical, trial.last.epoch * trial.last.seconds)
            for trial in self.running
            if trial.last
        )
        return open_trials * typical - spent

    def remaining_seconds(self) -> float | None:
        """Estimate the time to the end; None where that of the devices is unknown."""
        seconds = self.remaining_device_seconds()
        at_once = min(len(self.live_workers), self.study.trials - self.ended)
        return None if seconds is None else seconds / at_once

    def noting(self, note: str) -> "Snapshot":
        """Return the same snapshot with a note."""
        return replace(self, note=note)


def read_snapshot(
    store: StoreReader, name: str, before: Snapshot | None = None, newest: int = 0
) -> Snapshot:
    """Read the study of that name; UnknownStudy when there is none.

    before: an earlier snapshot of it; then only what has changed since is read.
    newest: how many of the newest trials to read.
    """
    look = store.look(name, before.look if before else None, newest)
    definition = look.study.definition
    is_same = before is not None and before.look.study.definition == definition
    return Snapshot(look, before.stored if before and is_same else from_json(definition))


def at_work(workers: Iterable[WorkerRow]) -> list[WorkerRow]:
    """Return the workers that work now; the end of one that died with its supervisor is unknown."""
    return [
        worker
        for worker in workers
        if worker.ended_at is None
        and (worker.trial is not None or worker.silent_seconds < SILENCE_SECONDS)
    ]
