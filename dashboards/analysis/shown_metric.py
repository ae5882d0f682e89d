"""Metrics as pages write them: a short name, and a number with its unit."""

from dashboards.analysis import numbers
from objectives.contract import BALANCED_ACCURACY, MACRO_AUC, MICRO_BATCH

SHARES = (BALANCED_ACCURACY, "val_top1", "val_top3")  # shown in percent
WORDS = {
    BALANCED_ACCURACY: "balanced acc.",
    MACRO_AUC: "AUC",
    "val_macro_f1": "F1",
    "val_ece": "ECE",
}


def is_share(metric: str) -> bool:
    """Say whether a metric is shown in percent."""
    return metric in SHARES


def shown_metric(metric: str, value: float | None, digits: int = 1) -> str:
    """Format a value of a metric; digits: the decimals of a share."""
    if metric == MICRO_BATCH and value is not None:
        return numbers.whole(value)
    return numbers.percent(value, digits) if is_share(metric) else numbers.metric(value)


def shown_interval(metric: str, low: float | None, high: float | None) -> str:
    """Format the 95 % interval of a metric; "" without one."""
    return (numbers.percent_interval if is_share(metric) else numbers.interval)(low, high)


def word(metric: str) -> str:
    """Name a metric in a word or two."""
    return WORDS.get(metric, metric)
