"""The promises of crash safety, checked against the database once everything is over."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby, pairwise
from pathlib import Path

from objectives import catalog
from objectives.contract import Attempt, DataSource, EpochResult
from search.seeds import training_seed
from spaces.rungs import kept_of, rungs_of
from spaces.stored import StoredStudy, from_json
from storage.live.rungs import RungRow
from storage.rows import WELL, AttemptRow, EpochRow, HandBackReason, Outcome, TrialRow
from storage.store import Store

ENDED_WELL = ("COMPLETE", "PRUNED")


@dataclass(frozen=True)
class Promise:
    """A promise, how many cases of it were checked, and a line per case in which it was broken."""

    words: str
    checked: int
    broken: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Observations:
    """Everything that a study left in the database.

    begun: the number of trials that were to be tried.
    optuna: by trial number Optuna's state, values by step, and final value.
    """

    stored: StoredStudy
    begun: int
    lease_seconds: float
    trials: list[TrialRow]
    epochs: list[EpochRow]
    attempts: list[AttemptRow]
    rungs: list[RungRow]
    optuna: dict[int, tuple[str, dict[int, float], float | None]]

    def curve(self, number: int) -> list[EpochRow]:
        """Return a trial's epochs in order."""
        return [row for row in self.epochs if row.number == number]

    def schedule(self, trial: TrialRow) -> Mapping[str, int]:
        """Return the length of a trial's schedule and of its beginning."""
        return catalog.schedule(self.stored.objective, self.stored.config(trial.params))


def observe(store: Store, name: str, begun: int, lease_seconds: float) -> Observations:
    """Read everything that the promises are about.

    begun: the number of trials that were to be tried.
    """
    frozen = store.optuna_study(name).get_trials(deepcopy=False)
    return Observations(
        stored=from_json(store.study(name).definition),
        begun=begun,
        lease_seconds=lease_seconds,
        trials=store.trials(name),
        epochs=store.epochs(name),
        attempts=store.attempts(name),
        rungs=store.rungs(name),
        optuna={
            each.number: (each.state.name, each.intermediate_values, (each.values or [None])[0])
            for each in frozen
        },
    )


def check(seen: Observations) -> list[Promise]:
    """Check the observations against every promise."""
    trials, attempts = len(seen.trials), len(seen.attempts)
    rules: list[tuple[str, int, Callable[[Observations], Iterator[str]]]] = [
        ("no trial is lost, none is more than the budget", trials, _whole_budget),
        ("every epoch is there once, none is missing", len(seen.epochs), _contiguous),
        ("one attempt at a time has a trial, and it alone writes", attempts, _one_at_a_time),
        ("no worker takes a trial whose lease is live", attempts, _live_leases),
        ("every trial is ended once, and Optuna has the same numbers", trials, _ended_once),
        ("every trial is judged once at each rung", len(seen.rungs), _judged),
        ("every curve is the undisturbed one, bit for bit", trials, _undisturbed),
    ]
    return [Promise(words, checked, tuple(rule(seen))) for words, checked, rule in rules]


def _whole_budget(seen: Observations) -> Iterator[str]:
    numbers = [trial.number for trial in seen.trials]
    if numbers != list(range(seen.begun)):
        yield f"{seen.begun} trials were begun, and there are {len(numbers)}"
    for trial in seen.trials:
        if trial.state not in ENDED_WELL:
            yield f"trial {trial.number} is {trial.state} ({trial.outcome}: {trial.detail})"


def _contiguous(seen: Observations) -> Iterator[str]:
    for trial in seen.trials:
        epochs = [row.epoch for row in seen.curve(trial.number)]
        planned = seen.schedule(trial)["epochs"]
        wanted = planned if trial.state == "COMPLETE" else max(epochs, default=1)
        if epochs != list(range(1, wanted + 1)):
            yield f"trial {trial.number} has epochs {epochs} of {planned}"


def _one_at_a_time(seen: Observations) -> Iterator[str]:
    for number, before, after in _hand_overs(seen):
        if before.ended_at is None or before.ended_at > after.started_at:
            yield f"trial {number}: attempts {before.attempt} and {after.attempt} overlap"
        for row in seen.curve(number):
            if row.attempt == before.attempt and row.recorded_at > after.started_at:
                yield f"trial {number}: attempt {row.attempt} wrote epoch {row.epoch} afterwards"
    for trial in seen.trials:
        for before_row, row in pairwise(seen.curve(trial.number)):
            if row.attempt < before_row.attempt:
                yield f"trial {trial.number}: epoch {row.epoch} is of an earlier attempt"


def _live_leases(seen: Observations) -> Iterator[str]:
    lease = timedelta(seconds=seen.lease_seconds)
    for number, before, after in _hand_overs(seen):
        # The same worker: the answer to its claim was lost, and it claimed again.
        is_taken = before.reason == HandBackReason.LOST and before.worker != after.worker
        if is_taken and before.ended_at and after.started_at < before.ended_at + lease:
            yield f"trial {number}: attempt {after.attempt} took it from a live one"


def _ended_once(seen: Observations) -> Iterator[str]:
    for trial in seen.trials:
        attempts = [row for row in seen.attempts if row.number == trial.number]
        ended = [row.attempt for row in attempts if row.reason in WELL]
        if ended != [len(attempts)]:
            yield f"trial {trial.number} was ended by attempts {ended} of {len(attempts)}"
        state, steps, value = seen.optuna[trial.number]
        curve = {row.epoch: row.value for row in seen.curve(trial.number)}
        best = min(curve.values(), default=None) if state == "COMPLETE" else None
        if (state, steps) != (trial.state, curve):
            yield f"trial {trial.number}: Optuna has it {state} with {len(steps)} steps"
        elif state == "COMPLETE" and not value == trial.value == best:
            yield f"trial {trial.number} is worth {value}, and its best epoch {best}"


def _judged(seen: Observations) -> Iterator[str]:
    """Yield the trials that lack a rung, or that went on from one where they were to be stopped.

    One that was noted after its end, because the database was away until then, was not stopped.
    """
    for trial in seen.trials:
        rows = [row for row in seen.rungs if row.number == trial.number]
        low = [row.rung for row in rows if row.rank > kept_of(row.among)]
        last = max((row.epoch for row in seen.curve(trial.number)), default=0)
        wanted = rungs_of(seen.stored.study, **seen.schedule(trial))
        reached = [rung for rung, epoch in wanted.items() if epoch <= last]
        noted = [row.rung for row in rows]
        if trial.outcome == Outcome.FINISHED and noted != reached:
            yield f"trial {trial.number} was noted at rungs {noted} of {reached}"
        elif trial.outcome == Outcome.PRUNED and (
            low != noted[-1:] or noted != reached[: len(noted)]
        ):
            yield f"trial {trial.number} was noted at rungs {noted} and stopped at {low}"


def _undisturbed(seen: Observations) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="search-chaos-") as folder:
        for trial in seen.trials:
            alone = _train_alone(seen.stored, trial, Path(folder))
            for row in seen.curve(trial.number):
                if row.metrics != alone[row.epoch - 1].metrics:
                    yield f"trial {trial.number} differs at epoch {row.epoch}"
                    break


def _train_alone(stored: StoredStudy, trial: TrialRow, folder: Path) -> list[EpochResult]:
    """Train a trial's configuration with its seed in one go."""
    study, quick = stored.study, stored.pinned({"seconds_per_epoch": 0.0})
    own_folder = folder / str(trial.number)
    own_folder.mkdir()
    attempt = Attempt(
        folder=own_folder,
        data=DataSource(layout={"kind": "none"}),
        seed=training_seed(study.seed, trial.number),
    )
    return list(
        catalog.load(stored.objective, Path(__file__).parent)(quick.config(trial.params), attempt)
    )


def _hand_overs(seen: Observations) -> Iterator[tuple[int, AttemptRow, AttemptRow]]:
    for number, attempts in groupby(seen.attempts, key=lambda row: row.number):
        for before, after in pairwise(attempts):
            yield number, before, after
