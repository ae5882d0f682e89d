"""A searched hyperparameter: its range, its scale, its condition, and its prior."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from spaces.declared import check_types, make_plain
from spaces.errors import StudyError
from spaces.priors import Prior, Scale
from spaces.weights import check_share, check_weights, is_number

Value = bool | int | float | str | None
When = Mapping[str, Value]


class Param(Protocol):
    """The methods that every kind of parameter has."""

    @property
    def name(self) -> str: ...
    @property
    def when(self) -> When: ...
    def suggest(self, trial: Any) -> Value: ...
    def mode(self) -> Value: ...
    def corners(self) -> tuple[Value, ...]: ...
    def takes(self, value: Value) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Float:
    """A real number in [low, high].

    log: whether its order of magnitude is searched.
    prior: the region where good values are expected; None for a uniform prior.
    when: the values that earlier parameters must have for this one to exist.
    """

    name: str = field(kw_only=False)
    low: float = field(kw_only=False)
    high: float = field(kw_only=False)
    log: bool = False
    prior: Prior | None = None
    when: When = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_range(self)

    def suggest(self, trial: Any) -> float:
        """Ask `trial` (Optuna's duck type) for a value."""
        return float(trial.suggest_float(self.name, self.low, self.high, log=self.log))

    def mode(self) -> float:
        """Return the prior's most probable value; without a prior, the middle of the scale."""
        return self.prior.center if self.prior else _scale(self).from_unit(0.5)

    def corners(self) -> tuple[float, ...]:
        """Return both ends of the range."""
        return tuple(dict.fromkeys((self.low, self.high)))

    def takes(self, value: Value) -> bool:
        """Say whether `value` lies in the range."""
        return is_number(value) and self.low <= float(value) <= self.high  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Int:
    """A whole number in [low, high], both ends included.

    log, prior, when: as in `Float`.
    """

    name: str = field(kw_only=False)
    low: int = field(kw_only=False)
    high: int = field(kw_only=False)
    log: bool = False
    prior: Prior | None = None
    when: When = field(default_factory=dict)

    def __post_init__(self) -> None:
        make_plain(self)
        if not all(type(end) is int for end in (self.low, self.high)):
            raise StudyError(
                f"Int {self.name!r} has an end that is not a whole number", "use Float instead"
            )
        _check_range(self)

    def suggest(self, trial: Any) -> int:
        """Ask `trial` (Optuna's duck type) for a value."""
        return int(trial.suggest_int(self.name, self.low, self.high, log=self.log))

    def mode(self) -> int:
        """Return the prior's most probable value; without a prior, the middle of the scale."""
        return round(self.prior.center if self.prior else _scale(self).from_unit(0.5))

    def corners(self) -> tuple[int, ...]:
        """Return both ends of the range."""
        return tuple(dict.fromkeys((self.low, self.high)))

    def takes(self, value: Value) -> bool:
        """Say whether `value` is a whole number in the range."""
        return type(value) is int and self.low <= value <= self.high


@dataclass(frozen=True)
class Choice:
    """One of several options; a mapping gives each option its prior weight."""

    name: str
    options: Sequence[Value] | Mapping[Any, float]
    when: When = field(default_factory=dict)

    def __post_init__(self) -> None:
        make_plain(self)
        _check_name(self.name)
        if isinstance(self.options, set | frozenset):
            raise StudyError(
                f"the options of Choice {self.name!r} are a set, which has no order", "give a tuple"
            )
        if not isinstance(self.options, list | tuple | Mapping) or not self.options:
            raise StudyError(
                f"Choice {self.name!r} has no options", "give a tuple or {option: weight}"
            )
        if len(set(map(repr, self.choices))) < len(self.choices):
            raise StudyError(f"Choice {self.name!r} has an option twice", "leave each once")
        if any(not isinstance(option, Value) for option in self.choices):
            raise StudyError(
                f"Choice {self.name!r} has an option that is neither text nor a number",
                "use text or numbers",
            )
        check_weights(f"Choice {self.name!r}", zip(self.choices, self.weights, strict=True))

    @property
    def choices(self) -> tuple[Value, ...]:
        """The options in their declared order."""
        return tuple(self.options)

    def without(self, dropped: Sequence[Value]) -> "Choice":
        """Return the choice among the options that are left."""
        if isinstance(self.options, Mapping):
            left: Any = {key: weight for key, weight in self.options.items() if key not in dropped}
        else:
            left = tuple(option for option in self.options if option not in dropped)
        return replace(self, options=left)

    @property
    def weights(self) -> tuple[float, ...]:
        """The prior weight of each option; equal ones where none were given."""
        if isinstance(self.options, Mapping):
            return tuple(self.options.values())
        return (1.0,) * len(self.options)

    def suggest(self, trial: Any) -> Value:
        """Ask `trial` (Optuna's duck type) for an option."""
        value: Value = trial.suggest_categorical(self.name, self.choices)
        return value

    def mode(self) -> Value:
        """Return the heaviest option, the first of equals."""
        return self.choices[self.weights.index(max(self.weights))]

    def corners(self) -> tuple[Value, ...]:
        """Return every option."""
        return self.choices

    def takes(self, value: Value) -> bool:
        """Say whether `value` is one of the options, of the same type."""
        return any(value == option and type(value) is type(option) for option in self.choices)


@dataclass(frozen=True)
class Toggle:
    """Off or on.

    prior: the probability of on, 0.5 if nothing is known.
    """

    name: str
    prior: float = 0.5
    when: When = field(default_factory=dict)

    def __post_init__(self) -> None:
        make_plain(self)
        _check_name(self.name)
        if not is_number(self.prior) or not 0 <= self.prior <= 1:
            raise StudyError(
                f"Toggle {self.name!r} has prior {self.prior!r}",
                "use a probability of on, such as 0.3",
            )
        for is_on, share in ((True, self.prior), (False, 1 - self.prior)):
            check_share(f"Toggle {self.name!r} gives {is_on}", share)

    @property
    def weights(self) -> tuple[float, float]:
        """The probabilities of off and on."""
        return (1 - float(self.prior), float(self.prior))

    def suggest(self, trial: Any) -> bool:
        """Ask `trial` (Optuna's duck type) for off or on."""
        return bool(trial.suggest_categorical(self.name, (False, True)))

    def mode(self) -> bool:
        """Return the more likely value; off when both are equally likely."""
        return self.prior > 0.5

    def corners(self) -> tuple[bool, ...]:
        """Return off and on."""
        return (False, True)

    def takes(self, value: Value) -> bool:
        """Say whether `value` is True or False."""
        return isinstance(value, bool)


def drawing_scale(param: Float | Int) -> Scale:
    """Return the scale of draws; a whole number takes up half a step on either side."""
    half = 0.5 if isinstance(param, Int) else 0.0
    return Scale(param.low - half, param.high + half, param.log)


def meant_by(param: Param, value: Value) -> Value:
    """Return the value of a parameter that reads like `value`: 32 for "32"; None for none."""
    words = str(value).strip().lower()
    for option in param.corners() if isinstance(param, Choice | Toggle) else ():
        if option == value or str(option).lower() == words:
            return option
    for read in (int, float):
        with suppress(ValueError):
            if isinstance(value, str) and param.takes(number := read(words)):
                return number
    return None


def _scale(param: Float | Int) -> Scale:
    return Scale(param.low, param.high, param.log)


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not name.isidentifier():
        raise StudyError(
            f"parameter name {name!r} is not an identifier", "use letters, digits and _"
        )


def _check_range(param: Float | Int) -> None:
    _check_name(param.name)
    _check_prior(param)
    check_types(param)
    if param.low > param.high:
        raise StudyError(
            f"{param.name!r} has the range {param.low!r}..{param.high!r}", "put low first"
        )
    if param.log and param.low <= 0:
        raise StudyError(f"{param.name!r} is log-scaled from {param.low}", "start above 0")
    if param.prior and not param.low <= param.prior.center <= param.high:
        raise StudyError(
            f"{param.name!r} has its prior at {param.prior.center}, outside"
            f" {param.low}..{param.high}",
            "move the center or the range",
        )
    if param.prior and param.low == param.high:
        raise StudyError(f"{param.name!r} has one value and a prior", "leave the prior out")
    if param.prior and param.log and param.prior.center in (param.low, param.high):
        raise StudyError(
            f"{param.name!r} has its prior at {param.prior.center}, an end of its log scale",
            "move the center inside, or widen the range",
        )


def _check_prior(param: Float | Int) -> None:
    """Refuse a prior that is none, with the one that was meant."""
    given: object = param.prior
    if given is None or isinstance(given, Prior):
        return
    first = given[0] if isinstance(given, list | tuple) and given else given
    center = f"{first:g}" if is_number(first) else "CENTER"
    raise StudyError(
        f"{param.name!r} has prior {given!r}",
        f'write prior=Prior({center}, "medium"), or high or low',
    )
