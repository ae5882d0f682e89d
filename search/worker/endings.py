"""The five ways in which a worker's attempt at a trial ends."""

import math
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from objectives.contract import ContractError, DataError, EpochResult, is_out_of_memory
from objectives.script.failures import ScriptFailed, ScriptKilled
from spaces.space import TrialConfig
from storage.rows import HandBackReason, Outcome

# An exploding loss: networks that ended best have read ten times their first epoch's loss on the
# way and still came back (a validation cross-entropy of 362), so both have to hold.
EXPLODED = 10.0
SURELY_WRONG = 1000.0  # nats: the true class at e^-1000


@dataclass(frozen=True)
class Finished:
    """The trial went through its schedule.

    value: the number by which the study compares trials; the mean over the folds, if there are any.
    epochs: the epoch of that value, or one of each fold.
    """

    value: float
    epochs: tuple[int, ...]

    outcome: ClassVar[Outcome] = Outcome.FINISHED


@dataclass(frozen=True)
class Pruned:
    """The pruner stopped the trial after this epoch; `why` is a sentence."""

    epoch: int
    why: str

    outcome: ClassVar[Outcome] = Outcome.PRUNED


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The trial failed.

    detail: the failure in one line.
    where: the type, file and line of an exception, or the part of an objective that broke its
        contract; the same error has the same `where`. None for a failure of the configuration.
    report: the whole traceback.
    """

    outcome: Outcome
    detail: str
    where: str | None = None
    report: str = ""


@dataclass(frozen=True)
class HandedBack:
    """Another attempt continues the trial from its last checkpoint; `detail` adds a line."""

    reason: HandBackReason
    detail: str | None = None


@dataclass(frozen=True)
class Lost:
    """The trial is another attempt's; nothing more may be written."""


Ending = Finished | Pruned | Failed | HandedBack | Lost


@dataclass(frozen=True)
class Settled:
    """An attempt's ending, with the facts of the trial that are stored with it.

    config: the trial's configuration; empty if the trial was lost before it was drawn.
    epochs: every epoch of the trial, those of earlier attempts included, in order.
    """

    ending: Ending
    config: TrialConfig = field(default_factory=dict)
    epochs: Sequence[EpochResult] = ()

    @property
    def is_process_broken(self) -> bool:
        """Whether this process can no longer compute, after a CUDA error."""
        ending = self.ending
        return isinstance(ending, HandedBack) and ending.reason == HandBackReason.CUDA_ERROR

    @property
    def lost_device(self) -> str:
        """The line that says which device no longer answers, "" where it does."""
        ending = self.ending
        if isinstance(ending, HandedBack) and ending.reason == HandBackReason.DEVICE_LOST:
            return ending.detail or "a GPU is lost"
        return ""


def optuna_state(outcome: Outcome) -> Literal["PRUNED", "FAIL"]:
    """Return the state in which Optuna stores a failure.

    Optuna's samplers learn from pruned trials to avoid their region; they ignore failed ones.
    """
    return "PRUNED" if outcome in (Outcome.DIVERGED, Outcome.OUT_OF_MEMORY) else "FAIL"


def failure(error: Exception) -> Failed | HandedBack:
    """Classify an exception that the training raised.

    After a CUDA error this process can no longer compute, so the trial is handed back, as it is
    where somebody killed its script.
    """
    if isinstance(error, ScriptFailed):
        return _failure_of_script(error)
    if isinstance(error, ContractError):
        detail = str(error)
        return Failed(outcome=Outcome.CODE_ERROR, detail=detail, where="the objective's results")
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
    detail = f"{where}: {error}".splitlines()[0][:500]
    if _is_cuda_error(error):
        return HandedBack(HandBackReason.CUDA_ERROR, detail)
    report = "".join(traceback.format_exception(error))
    return Failed(outcome=_outcome(error), detail=detail, where=where, report=report)


def _failure_of_script(error: ScriptFailed) -> Failed | HandedBack:
    detail = str(error)[:500]
    if isinstance(error, ScriptKilled):
        return HandedBack(HandBackReason.KILLED, detail)
    report = f"{error}\n\n{error.report}\n"
    return Failed(outcome=_outcome(error), detail=detail, where=error.where, report=report)


def diverged(
    epoch: int, losses: Iterable[str], first: Mapping[str, float], now: Mapping[str, float]
) -> Failed | None:
    """Return the failure of losses that are not finite or exploded since the `first` epoch.

    losses: the names of the losses to check; names that are not in `now` are skipped.
    first, now: metrics of the first epoch of this network and of `epoch`.
    """
    for name in filter(now.__contains__, losses):
        before, value = first.get(name, now[name]), now[name]
        if broken := not_finite(epoch, name, first, now):
            return broken
        if value > max(EXPLODED * before, SURELY_WRONG):
            grown = f"{name} went from {before:.3g} to {value:.3g} at epoch {epoch}"
            return Failed(outcome=Outcome.DIVERGED, detail=grown)
    return None


def not_finite(
    epoch: int, name: str, first: Mapping[str, float], now: Mapping[str, float]
) -> Failed | None:
    """Return the failure of a metric that is NaN or infinite, else None; arguments as above."""
    if math.isfinite(now[name]):
        return None
    detail = f"{name} is {now[name]} at epoch {epoch}{_begun(first)}"
    return Failed(outcome=Outcome.DIVERGED, detail=detail)


def _begun(first: Mapping[str, float]) -> str:
    """Say where a divergence began, if the first batch's loss before or after one step shows it.

    first: metrics of the first epoch.
    """
    if not math.isfinite(first.get("first_loss", 0.0)):
        return ", as before any step: data or weights are the cause, see `search check`"
    if not math.isfinite(first.get("first_step", 0.0)):
        return ", as after one step at the full learning rate: lower it"
    return ""


def out_of_range(
    metrics: Mapping[str, float], known: Mapping[str, Mapping[str, Any]]
) -> Failed | None:
    """Return the failure of a metric outside its range, such as an accuracy of 96.8; else None.

    known: the `low` and `high` of each metric, from the catalog.
    """
    for name, value in metrics.items():
        low, high = (known.get(name, {}).get(end) for end in ("low", "high"))
        if high is not None and value > high:
            advice = ": a fraction, not a percentage" if high == 1 else ""
            return _out_of_range(
                f"{name} is {value:g}, above {high:g}; mend what reports it{advice}"
            )
        if low is not None and value < low:
            return _out_of_range(f"{name} is {value:g}, below {low:g}; mend what reports it")
    return None


def _out_of_range(detail: str) -> Failed:
    return Failed(outcome=Outcome.METRIC_OUT_OF_RANGE, detail=f"{detail} (O02)")


def _is_cuda_error(error: Exception) -> bool:
    # torch's own class goes by its name: torch is not imported here, and older ones lack it.
    said = type(error).__name__ == "AcceleratorError" or "CUDA error" in str(error)
    return said and _outcome(error) == Outcome.CODE_ERROR


def _outcome(error: Exception) -> Outcome:
    if isinstance(error, DataError):
        return Outcome.DATA_ERROR
    return Outcome.OUT_OF_MEMORY if is_out_of_memory(error) else Outcome.CODE_ERROR
