"""The time that optuna-dashboard takes to open a study."""

SOON = 2_000  # trials
# Seconds of Chromium on one core of a small server, with 8 values and 5 epochs a trial: 5 at 500
# trials, 8 at 1,000, 15 at 2,000, 39 at 5,000. Meanwhile the page answers nothing.
AT_FIRST, PER_TRIAL = 1.5, 0.0073


def optuna_seconds(trials: int) -> float | None:
    """Estimate how long optuna-dashboard takes to open a study; None where that is soon."""
    return None if trials < SOON else AT_FIRST + PER_TRIAL * trials
