"""The promises, checked from what the database holds once everything is over."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby, pairwise
from pathlib import Path

from objectives import catalog
from objectives.contract import Attempt, DataSource, EpochResult
from search.seeds import training_seed
from spaces.stored import StoredStudy, from_json
from storage.rows import AttemptRow, EpochRow, HandBackReason, Outcome, TrialRow
from storage.store import Store

ENDED_WELL = ("COMPLETE", "PRUNED")
TOLD = (Outcome.FINISHED, Outcome.PRUNED)


@dataclass(frozen=True)
class Promise:
    """A promise, how many cases of it were looked at, and those in which it was broken."""

    words: str
    checked: int
    broken: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """All that a study left in the database. begun: the trials that were to be tried."""

    stored: StoredStudy
    begun: int
    lease_seconds: float
    trials: list[TrialRow]
    epochs: list[EpochRow]
    attempts: list[AttemptRow]
    optuna: dict[int, tuple[str, dict[int, float], float | None]]

    def curve(self, number: int) -> list[EpochRow]:
        """Give a trial's epochs in order."""
        return [row for row in self.epochs if row.number == number]


def gather(store: Store, name: str, begun: int, lease_seconds: float) -> Evidence:
    """Read everything that the promises are about."""
    frozen = store.optuna_study(name).get_trials(deepcopy=False)
    return Evidence(
        from_json(store.study(name).definition),
        begun,
        lease_seconds,
        store.trials(name),
        store.epochs(name),
        store.attempts(name),
        {
            each.number: (each.state.name, each.intermediate_values, (each.values or [None])[0])
            for each in frozen
        },
    )


def check(evidence: Evidence) -> list[Promise]:
    """Hold the evidence against every promise."""
    trials, attempts = len(evidence.trials), len(evidence.attempts)
    rules: list[tuple[str, int, Callable[[Evidence], Iterator[str]]]] = [
        ("no trial is lost, none is more than the budget", trials, _whole_budget),
        ("every epoch is there once, none is missing", len(evidence.epochs), _contiguous),
        ("one attempt at a time has a trial, and it alone writes", attempts, _one_at_a_time),
        ("nobody takes a trial whose lease is live", attempts, _live_leases),
        ("every trial is told once, and Optuna has the same numbers", trials, _told_once),
        ("every curve is the undisturbed one, bit for bit", trials, _undisturbed),
    ]
    return [Promise(words, checked, tuple(rule(evidence))) for words, checked, rule in rules]


def _whole_budget(evidence: Evidence) -> Iterator[str]:
    numbers = [trial.number for trial in evidence.trials]
    if numbers != list(range(evidence.begun)):
        yield f"{evidence.begun} trials were begun, and there are {len(numbers)}"
    for trial in evidence.trials:
        if trial.state not in ENDED_WELL:
            yield f"trial {trial.number} is {trial.state} ({trial.outcome}: {trial.detail})"


def _contiguous(evidence: Evidence) -> Iterator[str]:
    for trial in evidence.trials:
        epochs = [row.epoch for row in evidence.curve(trial.number)]
        stored = evidence.stored
        planned = catalog.schedule(stored.study.objective, stored.config(trial.params))["epochs"]
        wanted = planned if trial.state == "COMPLETE" else max(epochs, default=1)
        if epochs != list(range(1, wanted + 1)):
            yield f"trial {trial.number} has epochs {epochs} of {planned}"


def _one_at_a_time(evidence: Evidence) -> Iterator[str]:
    for number, before, after in _hand_overs(evidence):
        if before.ended_at is None or before.ended_at > after.started_at:
            yield f"trial {number}: attempts {before.attempt} and {after.attempt} overlap"
        for row in evidence.curve(number):
            if row.attempt == before.attempt and row.recorded_at > after.started_at:
                yield f"trial {number}: attempt {row.attempt} wrote epoch {row.epoch} afterwards"
    for trial in evidence.trials:
        for before_row, row in pairwise(evidence.curve(trial.number)):
            if row.attempt < before_row.attempt:
                yield f"trial {trial.number}: epoch {row.epoch} is of an earlier attempt"


def _live_leases(evidence: Evidence) -> Iterator[str]:
    lease = timedelta(seconds=evidence.lease_seconds)
    for number, before, after in _hand_overs(evidence):
        # The same worker: the answer to its claim was lost, and it claimed again.
        is_taken = before.reason == HandBackReason.LOST and before.worker != after.worker
        if is_taken and before.ended_at and after.started_at < before.ended_at + lease:
            yield f"trial {number}: attempt {after.attempt} took it from a live one"


def _told_once(evidence: Evidence) -> Iterator[str]:
    for trial in evidence.trials:
        attempts = [row for row in evidence.attempts if row.number == trial.number]
        told = [row.attempt for row in attempts if row.reason in TOLD]
        if told != [len(attempts)]:
            yield f"trial {trial.number} was told by attempts {told} of {len(attempts)}"
        state, steps, value = evidence.optuna[trial.number]
        curve = {row.epoch: row.value for row in evidence.curve(trial.number)}
        best = min(curve.values(), default=None) if state == "COMPLETE" else None
        if (state, steps) != (trial.state, curve):
            yield f"trial {trial.number}: Optuna has it {state} with {len(steps)} steps"
        elif state == "COMPLETE" and not value == trial.value == best:
            yield f"trial {trial.number} is worth {value}, and its best epoch {best}"


def _undisturbed(evidence: Evidence) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="search-chaos-") as folder:
        for trial in evidence.trials:
            alone = _train_alone(evidence.stored, trial, Path(folder))
            for row in evidence.curve(trial.number):
                if row.metrics != alone[row.epoch - 1].metrics:
                    yield f"trial {trial.number} differs at epoch {row.epoch}"
                    break


def _train_alone(stored: StoredStudy, trial: TrialRow, folder: Path) -> list[EpochResult]:
    """Train a trial's configuration with its seed in one go."""
    study, quick = stored.study, stored.pinned({"seconds_per_epoch": 0.0})
    place = folder / str(trial.number)
    place.mkdir()
    attempt = Attempt(
        folder=place,
        data=DataSource(layout={"kind": "none"}),
        seed=training_seed(study.seed, trial.number),
    )
    return list(catalog.load(study.objective)(quick.config(trial.params), attempt))


def _hand_overs(evidence: Evidence) -> Iterator[tuple[int, AttemptRow, AttemptRow]]:
    for number, attempts in groupby(evidence.attempts, key=lambda row: row.number):
        for before, after in pairwise(attempts):
            yield number, before, after
