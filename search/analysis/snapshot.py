"""A study's rows at one moment, read once, and the sums over them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from spaces.stored import StoredStudy, from_json
from spaces.study import Study
from storage.rows import Outcome, StudyRow, TrialRow, UseRow, WorkerRow
from storage.store import Store

SILENCE_SECONDS = 120  # a waiting worker asks the database for a trial every few seconds
FINAL = ("COMPLETE", "PRUNED", "FAIL")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A study's rows at one moment."""

    row: StudyRow
    stored: StoredStudy
    trials: Sequence[TrialRow]
    workers: Sequence[WorkerRow]
    note: str = ""  # a remark for the reader in one line, as "the workers are starting"
    test_uses: Sequence[UseRow] = ()  # every opening of the test split

    @property
    def study(self) -> Study:
        """The study as its author wrote it."""
        return self.stored.study

    @cached_property
    def final(self) -> list[TrialRow]:
        """The trials that have ended, in any way."""
        return [trial for trial in self.trials if trial.state in FINAL]

    @property
    def running(self) -> list[TrialRow]:
        """The trials that have begun and not ended, whether a worker has them now or not."""
        return [trial for trial in self.trials if trial.state == "RUNNING"]

    @cached_property
    def outcomes(self) -> Counter[str]:
        """The number of trials that have ended, by Outcome."""
        return Counter(trial.outcome or trial.state.lower() for trial in self.final)

    @cached_property
    def ranking(self) -> list[TrialRow]:
        """The trials that finished here, best first; among equals the earlier one first.

        The value of one that was added or ended elsewhere is not measured by the study.
        """
        finished = [trial for trial in self.final if trial.outcome == Outcome.FINISHED]
        valued = [(trial.value, trial) for trial in finished if trial.value is not None]
        sign = 1 if self.study.direction == "minimize" else -1
        return [trial for value, trial in sorted(valued, key=lambda pair: sign * pair[0])]

    @property
    def best(self) -> TrialRow | None:
        """The trial with the best value."""
        return next(iter(self.ranking), None)

    @property
    def kept(self) -> set[int]:
        """The numbers of the best trials, which keep their weights."""
        return {trial.number for trial in self.ranking[: self.study.keep]}

    @property
    def live_workers(self) -> list[WorkerRow]:
        """The workers at work now, on this machine and on others."""
        # The end of a worker that died together with its supervisor is not recorded.
        return [
            worker
            for worker in self.workers
            if worker.ended_at is None
            and (worker.trial is not None or worker.silent_seconds < SILENCE_SECONDS)
        ]

    def trial(self, number: int | None) -> TrialRow | None:
        """Find the trial of that number; None where there is none."""
        return next((trial for trial in self.trials if trial.number == number), None)

    def planned_epochs(self, trial: TrialRow) -> int | None:
        """Return the length of a trial's schedule in epochs; with folds, of each fold.

        None where its configuration has no `epochs`.
        """
        epochs = self.stored.config(trial.params).get("epochs")
        return int(epochs) if epochs else None

    def remaining_seconds(self) -> float | None:
        """Estimate the time to the end; None before a trial has ended or without a worker.

        A trial's duration is its epochs times the seconds of its last epoch, so that nights between
        attempts do not count.
        """
        ended = [_trained_seconds(trial) for trial in self.final if trial.last]
        open_trials = self.study.trials - len(self.final)
        if not ended or not self.live_workers or open_trials <= 0:
            return None
        typical = sum(ended) / len(ended)
        spent = sum(min(typical, _trained_seconds(trial)) for trial in self.running)
        return (open_trials * typical - spent) / min(len(self.live_workers), open_trials)

    def noting(self, note: str) -> "Snapshot":
        """Return the same snapshot with a note."""
        return replace(self, note=note)


def read_snapshot(store: Store, name: str, before: Snapshot | None = None) -> Snapshot:
    """Read the study of that name; UnknownStudy when there is none.

    before: an earlier snapshot of it, whose ended trials are not read again.
    """
    row = store.study(name)
    is_same = before is not None and before.row.study_id == row.study_id
    known = {trial.number: trial for trial in before.final} if before and is_same else {}
    return Snapshot(
        row=row,
        stored=from_json(row.definition),
        trials=store.trials(name, known),
        workers=store.workers(name),
        test_uses=store.test_uses(name),
    )


def _trained_seconds(trial: TrialRow) -> float:
    return trial.last.epoch * trial.last.seconds if trial.last else 0.0
