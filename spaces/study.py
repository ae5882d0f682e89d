"""A study: everything that decides what is searched and what counts as better."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from spaces.at_least import affordable, check_at_least
from spaces.converted import Converted
from spaces.data import Data, NoData
from spaces.declared import check_types
from spaces.errors import StudyError, closest, nearest
from spaces.own import OwnObjective, as_objective
from spaces.params import Param, Value, meant_by
from spaces.priors import Prior
from spaces.pruning import AUTO, PRUNING_RULES
from spaces.space import Space, TrialConfig

# From this fold on the paired test has a variance to work with: two differences are too few.
FIRST_JUDGED_FOLDS = 3
MOST_FOLDS = 100
LARGEST_SEED = 2**63 - 1  # torch takes no larger one
# The name is a folder's name and a part of web addresses.
STUDY_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}(-practice)?")


@dataclass(frozen=True)
class Pruning:
    """When an unpromising trial is stopped.

    rule: a name in `spaces/pruning.py`. "rungs" stops a trial that is not among the best third of
        its kin at 1/6, 1/3 or 2/3 of the schedule after warm-up and unfreezing; "median" compares
        it with the completed trials at the same share of the schedule; "none" never stops one;
        "auto" is "rungs". In a study with folds every rule but "none" compares folds instead, and
        only between folds: from the third on, with the same folds of the best trial (a paired test,
        see `search/pruners/folds.py`).
    startup_trials: the number of trials that end before any is judged, by the median or by folds;
        None is min(8, max(3, trials // 4)), with folds 1.
    first_epoch: the first judged epoch, not with folds; a rung before it is left out. None is the
        second epoch; by the median the latest of this, the first one after warm-up and unfreezing,
        and a quarter of the schedule.
    """

    rule: str = AUTO
    startup_trials: int | None = None
    first_epoch: int | None = None

    def __post_init__(self) -> None:
        check_types(self)
        if self.rule not in PRUNING_RULES:
            raise StudyError(
                f"pruning rule {self.rule!r} is unknown",
                f"use {' or '.join(map(repr, PRUNING_RULES))}",
            )
        if self.first_epoch is not None and self.first_epoch < 2:
            raise StudyError(
                "pruning at epoch 1 throws the best trials away", "start at 2 or later"
            )

    @property
    def at_rungs(self) -> bool:
        """Whether a study without folds is pruned at rungs."""
        return self.rule in (AUTO, "rungs")


@dataclass(frozen=True, kw_only=True)
class Practice:
    """The changes for a run on practice data, with which it ends in minutes on two CPU cores.

    fixed: hyperparameters that get this one value.
    space: searched parameters that replace those of the same name.
    trials, folds: None leaves the study's own.
    """

    fixed: Mapping[str, Value] = field(default_factory=dict)
    space: Converted[Iterable[Param], tuple[Param, ...]] = Converted(tuple, default=())
    trials: int | None = None
    folds: int | None = None

    def __post_init__(self) -> None:
        check_types(self)


def _as_space(params: Iterable[Param]) -> Space:
    return params if isinstance(params, Space) else Space(tuple(params))


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study as its author wrote it, with the values of `--set` among the fixed ones.

    objective: the name of one that comes with the package, or training code of the author's own:
        "train.py:train", `Generator` or `Script`.
    fixed: hyperparameters that stay the same.
    space: the searched ones, in drawing order.
    sampler: what draws the values: a Parzen estimator ("tpe"), a Gaussian process ("gp"), nothing
        but chance ("random"), or the better of the first two for this study ("auto").
    at_least: how many finished trials every option of a choice or toggle gets, so that a question
        about it can be answered.
    value: a trial's value is the metric of its `best` or of its `last` epoch.
    trials: the budget.
    enqueue: configurations tried right after the prior's mode, such as a published recipe.
    stall_minutes: how long a trial may go without an optimizer step; 60 before its first one.
    outage_minutes: how long a worker goes on without the database.
    keep: the number of best trials whose weights stay on disk; running trials keep their
        checkpoints.
    folds: each trial is trained once per fold and its value is the mean over them; 0 is one
        validation split.
    has_test: whether a test split is carved where the data gives none.
    """

    name: str
    objective: Converted[str | OwnObjective, str | OwnObjective] = Converted(as_objective)
    metric: str
    direction: Literal["minimize", "maximize"]
    space: Converted[Iterable[Param], Space] = Converted(_as_space)
    data: Data = field(default_factory=NoData)
    value: Literal["best", "last"] = "best"
    trials: int = 20
    fixed: Mapping[str, Value] = field(default_factory=dict)
    enqueue: Converted[Iterable[Mapping[str, Value]], tuple[Mapping[str, Value], ...]] = Converted(
        tuple, default=()
    )
    sampler: Literal["auto", "tpe", "gp", "random"] = "auto"
    at_least: Mapping[str, int] = field(default_factory=dict)
    pruning: Pruning = Pruning()
    practice: Practice = Practice()
    seed: int = 0
    stall_minutes: float = 15.0
    outage_minutes: float = 15.0
    keep: int = 3
    folds: int = 0
    has_test: bool = True
    about: str = ""

    def __post_init__(self) -> None:
        _check_fixed(self.fixed)
        check_types(self)
        _check_words(self)
        _check_numbers(self)
        _check_keys(self)
        _check_enqueued(self)
        check_at_least(self.at_least, self.space, _queue(self.space, self.enqueue), self.trials)

    def pinned(self, values: Mapping[str, Value]) -> "Study":
        """Return this study with `values` fixed and no longer searched, on practice data as well.

        They also stand over the values of enqueued trials.
        """
        space = self.space.pinned(values)
        practice = replace(
            self.practice,
            fixed=_without(self.practice.fixed, values),
            space=[param for param in self.practice.space if space.get(param.name)],
        )
        return replace(
            self,
            fixed={**self.fixed, **values},
            space=space,
            enqueue=[_without(trial, values) for trial in self.enqueue],
            at_least={name: n for name, n in self.at_least.items() if name not in values},
            practice=practice,
        )

    def for_practice(self) -> "Study":
        """Return the small study, with its own name, that runs on this study's practice set."""
        smaller = {param.name: param for param in self.practice.space}
        space = self.space.replaced(smaller).pinned(self.practice.fixed)
        trials = self.practice.trials or self.trials
        enqueue = _drawable(self.enqueue, space)
        return replace(
            self,
            name=f"{self.name}-practice",
            fixed={**self.fixed, **self.practice.fixed},
            space=space,
            enqueue=enqueue,
            at_least=affordable(self.at_least, space, _queue(space, enqueue), trials),
            trials=trials,
            folds=self.folds if self.practice.folds is None else self.practice.folds,
            practice=Practice(),
        )


def _queue(space: Space, enqueue: Sequence[Mapping[str, Value]]) -> list[Mapping[str, Value]]:
    """Return the first trials of a study, of which it draws none."""
    return [space.mode(), *enqueue]


def _without(values: Mapping[str, Value], dropped: Mapping[str, Value]) -> TrialConfig:
    return {name: value for name, value in values.items() if name not in dropped}


def _drawable(enqueued: Sequence[Mapping[str, Value]], space: Space) -> tuple[TrialConfig, ...]:
    """Return the values of each enqueued trial that the space can draw, without repetitions.

    The parameters that lose their value are left to be drawn.
    """
    left = [
        {
            name: value
            for name, value in trial.items()
            if (param := space.get(name)) and param.takes(value)
        }
        for trial in enqueued
    ]
    return tuple(trial for at, trial in enumerate(left) if trial and trial not in left[:at])


def _check_fixed(fixed: object) -> None:
    for name, value in fixed.items() if isinstance(fixed, Mapping) else ():
        if isinstance(value, Prior):
            raise StudyError(
                f"fixed has a prior for {name!r}, and a fixed value needs none",
                f"give the value, or search it: Float({name!r}, LOW, HIGH, prior=Prior(...))",
            )


def _check_words(study: Study) -> None:
    if not STUDY_NAME.fullmatch(study.name):
        raise StudyError(f"study name {study.name!r}: use a-z, 0-9, - and _, at most 63 characters")
    for name, allowed in {
        "direction": ("minimize", "maximize"),
        "value": ("best", "last"),
        "sampler": ("auto", "tpe", "gp", "random"),
    }.items():
        word = getattr(study, name)
        if word not in allowed:
            near = closest(str(word).lower(), allowed)
            raise StudyError(
                f"{study.name}: {name} is {word!r}",
                f"did you mean {near!r}?" if near else f"use {' or '.join(allowed)}",
            )


def _check_numbers(study: Study) -> None:
    if type(study.trials) is not int or study.trials < 1:
        raise StudyError(
            f"{study.name}: trials is {study.trials!r}", "use a whole number from 1 on"
        )
    for name in ("stall_minutes", "outage_minutes"):
        if not getattr(study, name) > 0:
            raise StudyError(f"{study.name}: {name} is {getattr(study, name)}", "use one above 0")
    if abs(study.seed) > LARGEST_SEED:
        raise StudyError(f"{study.name}: seed is {study.seed}", f"use at most {LARGEST_SEED}")
    if study.keep < 0:
        raise StudyError(f"{study.name}: keep is {study.keep}", "use 0 or more")
    if study.folds not in (0, *range(2, MOST_FOLDS + 1)):
        raise StudyError(
            f"{study.name}: folds is {study.folds}", f"use 2 to {MOST_FOLDS}, or 0 for none"
        )
    if study.folds and study.pruning.first_epoch is not None:
        raise StudyError(
            f"{study.name}: pruning begins at epoch {study.pruning.first_epoch}, but with folds"
            " trials are judged between folds",
            "leave first_epoch out",
        )
    if study.pruning.startup_trials is not None and study.pruning.at_rungs and not study.folds:
        raise StudyError(
            f"{study.name}: startup_trials is {study.pruning.startup_trials}, but at rungs a trial"
            " is judged as soon as three of its kin were there before it",
            'leave startup_trials out, or use Pruning("median", startup_trials=...)',
        )


def _check_keys(study: Study) -> None:
    both = set(study.fixed) & set(study.space.names)
    if both:
        raise StudyError(
            f"{study.name}: {sorted(both)[0]!r} is fixed and searched", "keep one of them"
        )
    for param in study.practice.space:
        if param.name not in study.space.names:
            raise StudyError(
                f"{study.name}: practice changes {param.name!r}, which is not searched",
                nearest(param.name, study.space.names),
            )


def _check_enqueued(study: Study) -> None:
    for name, value in (pair for trial in study.enqueue for pair in trial.items()):
        param = study.space.get(name)
        if param is None and name not in study.fixed:
            raise StudyError(
                f"{study.name}: an enqueued trial sets {name!r}, which is not searched",
                nearest(name, study.space.names),
            )
        if param is not None and not param.takes(value):
            meant = meant_by(param, value)
            raise StudyError(
                f"{study.name}: an enqueued trial sets {name}={value!r}, outside its range",
                "change the trial or the range" if meant is None else f"write {name}={meant!r}",
            )
