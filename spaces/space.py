"""The space of a study: the searched parameters in drawing order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, islice, product
from typing import Any, cast

from spaces.errors import StudyError, nearest
from spaces.params import Choice, Param, Value, meant_by

TrialConfig = dict[str, Value]

FEW = 256  # more combinations than this are tried pair by pair


@dataclass(frozen=True)
class Space:
    """Parameters in drawing order; a later one may depend on earlier ones through `when`."""

    params: tuple[Param, ...] = ()

    def __post_init__(self) -> None:
        earlier: dict[str, Param] = {}
        for param in self.params:
            if param.name in earlier:
                raise StudyError(f"the space has {param.name!r} twice", "leave one")
            _check_conditions(param, earlier)
            earlier[param.name] = param

    def __iter__(self) -> Iterator[Param]:
        return iter(self.params)

    def __len__(self) -> int:
        return len(self.params)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parameters in drawing order."""
        return tuple(param.name for param in self.params)

    def get(self, name: str) -> Param | None:
        """Return the parameter of that name, or None."""
        return next((param for param in self.params if param.name == name), None)

    def suggest(self, trial: Any) -> TrialConfig:
        """Draw a value for every parameter that exists under the values drawn before it.

        trial: anything with Optuna's suggest methods; `optuna.trial.FixedTrial` replays a config.
        """
        drawn: TrialConfig = {}
        for param in self.params:
            if is_active(param, drawn):
                drawn[param.name] = param.suggest(trial)
        return drawn

    def is_whole(self, drawn: Mapping[str, Value]) -> bool:
        """Say whether these are the parameters of one draw, none missing and none beside them."""
        return {param.name for param in self.params if is_active(param, drawn)} == set(drawn)

    def mode(self) -> TrialConfig:
        """Return the prior's most probable configuration, the first one that a study tries."""
        return self.mode_with({})

    def mode_with(self, given: Mapping[str, Value]) -> TrialConfig:
        """Return the mode with the values `given`, of the parameters that exist there."""
        likeliest: TrialConfig = {}
        for param in self.params:
            if is_active(param, likeliest):
                likeliest[param.name] = given.get(param.name, param.mode())
        return likeliest

    def corners(self) -> Iterable[TrialConfig]:
        """Return the configurations that combine options and ends of ranges.

        More than 256 are replaced by a selection: every pair of two parameters' values, with the
        other parameters at the prior's mode.
        """
        every = list(islice(self.combinations(), FEW + 1))
        return every if len(every) <= FEW else self._pairs()

    def combinations(self) -> Iterator[TrialConfig]:
        """Yield every combination of options and ends that can be drawn."""
        return self._combined(self.params, {})

    def around(self, names: Iterable[str]) -> "Space":
        """Return the space of these parameters and of the parameters that their conditions name."""
        kept = set(names)
        for param in reversed(self.params):
            if param.name in kept:
                kept |= set(param.when)
        return Space(tuple(param for param in self.params if param.name in kept))

    def replaced(self, params: Mapping[str, Param]) -> "Space":
        """Return this space with some parameters exchanged for others of the same name."""
        return Space(tuple(params.get(param.name, param) for param in self.params))

    def pinned(self, values: Mapping[str, Value]) -> "Space":
        """Return the space without some parameters, which have one fixed value."""
        left = (_with_settled(param, values) for param in self.params if param.name not in values)
        return Space(tuple(param for param in left if param is not None))

    def without(self, dropped: Mapping[str, Sequence[Value]]) -> "Space":
        """Return the space without some options, and without parameters that depend on them."""
        left: dict[str, Param] = {}
        for param in self.params:
            can_never_exist = any(
                name not in left or value in dropped.get(name, ())
                for name, value in param.when.items()
            )
            if not can_never_exist:
                left[param.name] = _without_options(param, dropped.get(param.name, ()))
        return Space(tuple(left.values()))

    def _combined(self, params: tuple[Param, ...], drawn: TrialConfig) -> Iterator[TrialConfig]:
        if not params:
            yield drawn
        elif not is_active(params[0], drawn):
            yield from self._combined(params[1:], drawn)
        else:
            for value in self._values_to_try(params[0]):
                yield from self._combined(params[1:], {**drawn, params[0].name: value})

    def _pairs(self) -> Iterator[TrialConfig]:
        for one, other in combinations_with_replacement(self.params, 2):
            conditions = {**self._conditions_of(one), **self._conditions_of(other)}
            values, others = self._values_to_try(one), self._values_to_try(other)
            pairs = zip(values, values, strict=True) if one is other else product(values, others)
            for value, beside in pairs:
                yield self.mode_with({**conditions, one.name: value, other.name: beside})

    def _values_to_try(self, param: Param) -> tuple[Value, ...]:
        """Return a parameter's corners and the values that the conditions of others ask for."""
        corners = param.corners()
        asked = {each.when[param.name] for each in self.params if param.name in each.when}
        return (*corners, *(value for value in asked if value not in corners))

    def _conditions_of(self, param: Param) -> TrialConfig:
        """Return the values that must have been drawn for a parameter to exist."""
        chain = self.around((param.name,))
        return {name: value for each in chain for name, value in each.when.items()}


def is_active(param: Param, drawn: Mapping[str, Value]) -> bool:
    """Say whether `param` exists when the parameters before it have the values `drawn`."""
    return all(name in drawn and drawn[name] == value for name, value in param.when.items())


def _without_options(param: Param, dropped: Sequence[Value]) -> Param:
    return param.without(dropped) if dropped and isinstance(param, Choice) else param


def _with_settled(param: Param, values: Mapping[str, Value]) -> Param | None:
    """Return the parameter without its settled conditions; None when one can never hold."""
    settled = {name: value for name, value in param.when.items() if name in values}
    if not settled:
        return param
    if any(values[name] != value for name, value in settled.items()):
        return None
    open_ones = {name: value for name, value in param.when.items() if name not in settled}
    conditional: Any = param  # every kind of parameter is a frozen dataclass with `when`
    return cast(Param, replace(conditional, when=open_ones))


def _check_conditions(param: Param, earlier: Mapping[str, Param]) -> None:
    for name, value in param.when.items():
        if name not in earlier:
            raise StudyError(
                f"{param.name!r} depends on {name!r}, which is not drawn before it",
                nearest(name, earlier),
            )
        if not earlier[name].takes(value):
            meant = meant_by(earlier[name], value)
            raise StudyError(
                f"{param.name!r} needs {name}={value!r}, a value that {name!r} never has",
                "change the condition" if meant is None else f"did you mean {meant!r}?",
            )
