"""A study: everything that decides what is searched and what counts as better."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from spaces.data import KINDS, Data, NoData
from spaces.errors import StudyError, nearest
from spaces.params import Param, Value
from spaces.space import Space, TrialConfig


@dataclass(frozen=True)
class Pruning:
    """When an unpromising trial is stopped.

    rule: "median" compares with the other trials at the same share of the schedule; "none" never.
    In a study with folds "median" compares folds instead, and between them only: once three are
    over, with the same folds of the best trial (a paired test, see `search/pruners/median.py`).
    startup_trials: how many trials end before any is judged; None: min(8, max(3, trials // 4)),
    with folds 1. first_epoch: the first judged epoch; None: the second, the first
    after warm-up and unfreezing or a quarter of the schedule, whichever is latest. Not with folds.
    """

    rule: Literal["median", "none"] = "median"
    startup_trials: int | None = None
    first_epoch: int | None = None

    def __post_init__(self) -> None:
        if self.rule not in ("median", "none"):
            raise StudyError(f"pruning rule {self.rule!r} is unknown; use 'median' or 'none'")
        if self.first_epoch is not None and self.first_epoch < 2:
            raise StudyError("pruning at epoch 1 throws the best trials away; start at 2 or later")


@dataclass(frozen=True)
class Practice:
    """What a run on practice data changes, so that it ends in minutes on two CPU cores.

    trials, folds: None leaves the study's own.
    """

    fixed: Mapping[str, Value] = field(default_factory=dict)
    space: Sequence[Param] = ()
    trials: int | None = None
    folds: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "space", tuple(self.space))


@dataclass(frozen=True)
class Study:
    """What is searched, on which data, and what counts as better.

    fixed: hyperparameters that stay the same; space: those that are searched, in drawing order.
    value: a trial's value is its `best` or its `last` epoch's metric. trials: the budget.
    enqueue: configurations tried right after the prior's mode, such as a published recipe.
    defaults: the objective's defaults at the study's creation, filled in when it is stored.
    weights: what the files are that backbones start from, filled in then too.
    pins: what `--set` fixed when the study was created. too_large: backbones that were left out
    then, because not one image of them fits into the memory of the device that began it.
    outage_minutes: how long a worker goes on without the database. keep: how many of the best
    trials keep their weights on disk; the running ones keep their checkpoints.
    folds: a trial is trained once per fold and its value is the mean over them; 0: one validation
    split. has_test: whether a test split is carved where the data gives none. skipped_checks: rules
    of the data whose errors were waved through when the study was created.
    """

    name: str
    objective: str
    metric: str
    direction: Literal["minimize", "maximize"]
    space: Space | Sequence[Param]
    data: Data = field(default_factory=NoData)
    value: Literal["best", "last"] = "best"
    trials: int = 20
    fixed: Mapping[str, Value] = field(default_factory=dict)
    defaults: Mapping[str, Value] = field(default_factory=dict)
    weights: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pins: Mapping[str, Value] = field(default_factory=dict)
    too_large: Sequence[Value] = ()
    enqueue: Sequence[Mapping[str, Value]] = ()
    pruning: Pruning = Pruning()
    practice: Practice = Practice()
    is_practice: bool = False
    seed: int = 0
    stall_minutes: float = 15.0  # without an optimizer step; 60 before the first one
    outage_minutes: float = 15.0
    keep: int = 3
    folds: int = 0
    has_test: bool = True
    skipped_checks: Sequence[str] = ()
    about: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.space, Space):
            object.__setattr__(self, "space", Space(tuple(self.space)))
        object.__setattr__(self, "enqueue", tuple(self.enqueue))
        object.__setattr__(self, "too_large", tuple(self.too_large))
        object.__setattr__(self, "skipped_checks", tuple(self.skipped_checks))
        _check_types(self)
        _check_words(self)
        _check_budget(self)
        _check_keys(self)

    @property
    def params(self) -> Space:
        """The searched parameters in drawing order."""
        assert isinstance(self.space, Space)
        return self.space

    @property
    def settled(self) -> TrialConfig:
        """What no trial draws: defaults, fixed values over them, pins over those."""
        return {**self.defaults, **self.fixed, **self.pins}

    def config(self, drawn: Mapping[str, Value]) -> TrialConfig:
        """Give the whole configuration of a trial: the drawn values over what is settled."""
        return {**self.settled, **drawn}

    def with_defaults(self, defaults: Mapping[str, Value]) -> "Study":
        """Give this study with the objective's `defaults` written into it."""
        return replace(self, defaults=dict(defaults))

    def pinned(self, values: Mapping[str, Value]) -> "Study":
        """Give this study with `values` settled and no longer searched (`--set key=value`)."""
        space = self.params.pinned(values)
        return replace(self, pins={**self.pins, **values}, space=space)

    def without_backbones(self, too_large: Sequence[Value]) -> "Study":
        """Give this study with some backbones never drawn, nor tried first.

        Raises StudyError when none is left.
        """
        if not too_large:
            return self
        left = [each for each in self.enqueue if each.get("backbone") not in too_large]
        searched = self.params.get("backbone")
        options = searched.corners() if searched else (self.settled.get("backbone"),)
        if not set(options) - set(too_large):
            raise StudyError(
                f"{self.name}: not one image of {', '.join(map(str, options))} fits into this"
                " device's memory (search plan); use a smaller backbone or image_size"
            )
        space = self.params.without({"backbone": too_large})
        return replace(self, space=space, enqueue=left, too_large=tuple(too_large))

    def for_practice(self) -> "Study":
        """Give the small study that runs on this study's practice set, under a name of its own."""
        smaller = {param.name: param for param in self.practice.space}
        space = self.params.replaced(smaller).pinned(self.practice.fixed)
        return replace(
            self,
            name=f"{self.name}-practice",
            fixed={**self.fixed, **self.practice.fixed},
            space=space,
            enqueue=_drawable(self.enqueue, space),
            trials=self.practice.trials or self.trials,
            folds=self.folds if self.practice.folds is None else self.practice.folds,
            practice=Practice(),
            is_practice=True,
        )


def _drawable(enqueued: Sequence[Mapping[str, Value]], space: Space) -> tuple[TrialConfig, ...]:
    """Give what a space can draw of each trial, each once; the rest of it is left to be drawn."""
    left = [
        {name: value for name, value in each.items() if (p := space.get(name)) and p.takes(value)}
        for each in enqueued
    ]
    return tuple(each for at, each in enumerate(left) if each and each not in left[:at])


# From so many folds on a paired test says something; before, two differences make a variance.
FIRST_JUDGED_FOLDS = 3
MOST_FOLDS = 100
# The name is a folder's and a part of web addresses.
STUDY_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


# A study is stored as JSON and must come back: nothing else may stand in these fields.
FIELD_TYPES: Mapping[str, tuple[type, ...]] = {
    "objective": (str,),
    "metric": (str,),
    "about": (str,),
    "data": tuple(KINDS.values()),
    "fixed": (Mapping,),
    "weights": (Mapping,),
    "pruning": (Pruning,),
    "practice": (Practice,),
    "seed": (int,),
    "stall_minutes": (int, float),
    "outage_minutes": (int, float),
    "keep": (int,),
    "folds": (int,),
}


def _check_types(study: Study) -> None:
    for name, types in FIELD_TYPES.items():
        value = getattr(study, name)
        if not isinstance(value, types) or isinstance(value, bool):
            wanted = " or ".join(each.__name__ for each in types)
            raise StudyError(f"{study.name}: {name} is {value!r}; give it a {wanted}")
    for name in ("stall_minutes", "outage_minutes"):
        if not getattr(study, name) > 0:
            raise StudyError(f"{study.name}: {name} is {getattr(study, name)}; use one above 0")
    if study.keep < 0:
        raise StudyError(f"{study.name}: keep is {study.keep}; use 0 or more")
    if study.folds not in (0, *range(2, MOST_FOLDS + 1)):
        raise StudyError(
            f"{study.name}: folds is {study.folds}; use 2 to {MOST_FOLDS}, or 0 for none"
        )
    if study.folds and study.pruning.first_epoch is not None:
        raise StudyError(
            f"{study.name}: pruning begins at epoch {study.pruning.first_epoch}, but with folds"
            " trials are judged between folds; leave first_epoch out"
        )
    if not isinstance(study.has_test, bool):
        raise StudyError(f"{study.name}: has_test is {study.has_test!r}; use True or False")


def _check_words(study: Study) -> None:
    if not STUDY_NAME.fullmatch(study.name):
        raise StudyError(f"study name {study.name!r}: use a-z, 0-9, - and _, at most 63 characters")
    for word, allowed in {
        "direction": ("minimize", "maximize"),
        "value": ("best", "last"),
    }.items():
        if getattr(study, word) not in allowed:
            raise StudyError(
                f"{study.name}: {word} is {getattr(study, word)!r}; use {' or '.join(allowed)}"
            )


def _check_budget(study: Study) -> None:
    if type(study.trials) is not int or study.trials < 1:
        raise StudyError(f"{study.name}: trials is {study.trials!r}; use a whole number from 1 on")


def _check_keys(study: Study) -> None:
    both = set(study.fixed) & set(study.params.names)
    if both:
        raise StudyError(
            f"{study.name}: {sorted(both)[0]!r} is fixed and searched; keep one of them"
        )
    for values in study.enqueue:
        for name, value in values.items():
            param = study.params.get(name)
            if param is None and name not in study.settled:
                raise StudyError(
                    f"{study.name}: an enqueued trial sets {name!r}, which is not searched;"
                    f" {nearest(name, study.params.names)}"
                )
            if param is not None and not param.takes(value):
                raise StudyError(
                    f"{study.name}: an enqueued trial sets {name}={value!r}, outside its range;"
                    " change the trial or the range"
                )
    for param in study.practice.space:
        if param.name not in study.params.names:
            raise StudyError(
                f"{study.name}: practice changes {param.name!r}, which is not searched;"
                f" {nearest(param.name, study.params.names)}"
            )
