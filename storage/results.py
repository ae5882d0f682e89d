"""The results of a trial, each written once: the numbers of its epochs, and its end."""

import math
from collections.abc import Mapping
from contextlib import suppress

from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy import Connection, and_, select
from sqlalchemy.dialects.postgresql import insert

from storage import leases
from storage.errors import EpochDiffers
from storage.leases import Claim
from storage.optuna_inside import constraint_key
from storage.rows import Outcome
from storage.tables import epochs

DEATHS = 3  # deadly ends in a row without a new epoch: the configuration is given up
# A metric with this ending is a time: a repeated epoch reports another value. The contract of the
# objectives has the same constant, which storage may not import; a test of the house compares both.
CLOCK_ENDING = "_s"


def write_epoch(
    connection: Connection,
    claim: Claim,
    epoch: int,
    *,
    metrics: Mapping[str, float],
    numbers: Mapping[str, float],
) -> bool:
    """Write an epoch; return False when it is recorded already with the same numbers.

    Raises EpochDiffers when it is recorded with other numbers.

    numbers: its value, seconds and images.
    """
    plain = {name: _plain(value) for name, value in metrics.items()}
    row = {"trial_id": claim.trial_id, "epoch": epoch, "attempt": claim.attempt, "metrics": plain}
    writing = insert(epochs).values({**row, **numbers})
    if connection.scalar(writing.on_conflict_do_nothing().returning(epochs.c.epoch)):
        return True
    this = and_(epochs.c.trial_id == claim.trial_id, epochs.c.epoch == epoch)
    stored = connection.execute(select(epochs.c.value, epochs.c.metrics).where(this)).one()
    before = _repeatable(stored.value, stored.metrics)
    now = _repeatable(numbers["value"], plain)
    for name in before | now:
        if before.get(name) != now.get(name):
            raise EpochDiffers(
                f"epoch {epoch} of trial {claim.number} is recorded with {name} "
                f"{before.get(name)}, and now it is {now.get(name)}",
                "go on with this study on the same data, device class and number of threads",
            )
    return False


def tell(
    connection: Connection,
    backend: RDBStorage,
    claim: Claim,
    state: TrialState,
    *,
    value: float | None,
    outcome: Outcome,
) -> None:
    """Store the trial's end with Optuna; a pruned trial gets its last value, as in Optuna."""
    if (
        outcome == Outcome.OUT_OF_MEMORY
    ):  # a violated constraint, by which samplers learn the limit of memory
        backend.set_trial_system_attr(claim.trial_id, constraint_key("memory"), 1.0)
    if state == TrialState.PRUNED:
        value = _last_value(connection, claim)
    backend.set_trial_state_values(claim.trial_id, state, None if value is None else [float(value)])


def fail_after_deaths(connection: Connection, backend: RDBStorage, trial_id: int) -> None:
    """Fail a trial after DEATHS deadly ends in a row without a new epoch."""
    ends = leases.deaths(connection, trial_id)
    if len(ends) >= DEATHS:
        detail = f"{len(ends)} attempts ended without an epoch between: {', '.join(ends)}"
        # The newest attempt may have been handed back after an older one was found to have stalled.
        leases.end_trial(connection, trial_id, Outcome(ends[-1]), detail)
        with suppress(UpdateFinishedTrialError):  # a person ended the trial first
            backend.set_trial_state_values(trial_id, TrialState.FAIL)


def decoded(metrics: Mapping[str, float | str]) -> dict[str, float]:
    """Return stored metrics as numbers, with NaN and the infinities."""
    return {name: float(value) for name, value in metrics.items()}


def _plain(value: float) -> float | str:
    # JSON has no NaN and no infinity: they are stored as strings, which SQL can cast back.
    return float(value) if math.isfinite(value) else str(float(value))


def _repeatable(value: float, metrics: Mapping[str, float | str]) -> dict[str, float | str]:
    kept = {name: number for name, number in metrics.items() if not name.endswith(CLOCK_ENDING)}
    return {**kept, "value": _plain(value)}


def _last_value(connection: Connection, claim: Claim) -> float | None:
    newest = select(epochs.c.value).where(epochs.c.trial_id == claim.trial_id)
    value = connection.scalar(newest.order_by(epochs.c.epoch.desc()).limit(1))
    return None if value is None or math.isnan(value) else float(value)
