"""Finding and sorting trials of a study of any size, by their arrays."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import TrialState

from dashboards.analysis.distributions import distributions
from spaces.study import Study
from storage.engine.arrays import StudyArrays
from storage.engine.changes import WAYS

TERM = re.compile(r"(?P<name>\w+)(?P<sign>>=|<=|!=|=|<|>)(?P<value>\S+)")
STATES = {
    "finished": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
    "running": TrialState.RUNNING,
    "waiting": TrialState.WAITING,
}
DRAWN = "drawn"
SIGNS = {"=": np.equal, "!=": np.not_equal, "<": np.less, ">": np.greater}
SIGNS |= {"<=": np.less_equal, ">=": np.greater_equal}

Mask = NDArray[np.bool_]
Distributions = Mapping[str, BaseDistribution]


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order of trials and the words that they must fit.

    by: `trial`, `value` or a hyperparameter.
    words: separated by blanks, such as `pruned` or `learning_rate<1e-3`; all must fit.
    """

    by: str = "trial"
    is_descending: bool = False
    words: str = ""


@dataclass(frozen=True)
class Found:
    """The numbers of the trials that fit, in order, and the words that say nothing here."""

    numbers: Sequence[int]
    unknown: Sequence[str]


def find(study: Study, arrays: StudyArrays, order: Order) -> Found:
    """Return the trials that fit, in order; those without the value stand last."""
    known = distributions(study.space)
    fits = arrays.states != 255
    unknown = []
    for word in order.words.split():
        mask = _mask(study, arrays, known, word)
        if mask is None:
            unknown.append(word)
        else:
            fits &= mask
    numbers = np.flatnonzero(fits)
    keys = _keys(arrays, known, order.by)[numbers]
    keys = -keys if order.is_descending else keys
    return Found(numbers[np.argsort(keys, kind="stable")].tolist(), unknown)


def sortable(study: Study) -> Iterator[str]:
    """Yield the names that trials can be sorted by."""
    yield from ("trial", "value", *study.space.names)


def _keys(arrays: StudyArrays, known: Distributions, by: str) -> NDArray[np.float64]:
    if by == "value":
        return arrays.values
    if by in known:
        return arrays.column(by, known[by])
    return np.arange(arrays.count, dtype=np.float64)


def _mask(study: Study, arrays: StudyArrays, known: Distributions, word: str) -> Mask | None:
    """Say of each trial whether it fits a word; None for a word that says nothing."""
    if word in STATES:
        return np.equal(arrays.states, STATES[word].value)
    term = TERM.fullmatch(word)
    if term is None:
        return None
    name, sign, text = term["name"], SIGNS[term["sign"]], term["value"]
    drawn_from = known.get(name)
    if isinstance(drawn_from, CategoricalDistribution):
        column = arrays.column(name, drawn_from)
        return _option_mask(column, drawn_from.choices, term["sign"], text)
    if name == DRAWN and name not in known:
        return _option_mask(arrays.ways, WAYS, term["sign"], text)
    value = _number(text)
    if value is None or name not in ("trial", "value", study.metric, *known):
        return None
    by = "value" if name == study.metric else name
    with np.errstate(invalid="ignore"):
        mask: Mask = sign(_keys(arrays, known, by), value)
    return mask


def _option_mask(
    column: NDArray[Any], options: Sequence[object], sign: str, text: str
) -> Mask | None:
    """Say of each trial whether it drew an option; a column holds the places of options."""
    spelt = {str(option).lower(): index for index, option in enumerate(options)}
    spelt |= {word: spelt[was] for was, word in (("true", "on"), ("false", "off")) if was in spelt}
    if text.lower() not in spelt or sign not in ("=", "!="):
        return None
    mask: Mask = SIGNS[sign](column, spelt[text.lower()])
    return mask


def _number(text: str) -> float | None:
    try:
        return float(text.replace("−", "-"))
    except ValueError:
        return None
