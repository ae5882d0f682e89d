"""The searched parameters in drawing order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from spaces.errors import StudyError, nearest
from spaces.params import Param, Value

TrialConfig = dict[str, Value]


@dataclass(frozen=True)
class Space:
    """Parameters in drawing order; a later one may depend on earlier ones through `when`."""

    params: tuple[Param, ...] = ()

    def __post_init__(self) -> None:
        earlier: dict[str, Param] = {}
        for param in self.params:
            if param.name in earlier:
                raise StudyError(f"the space has {param.name!r} twice; leave one")
            _check_conditions(param, earlier)
            earlier[param.name] = param

    def __iter__(self) -> Iterator[Param]:
        return iter(self.params)

    def __len__(self) -> int:
        return len(self.params)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names in drawing order."""
        return tuple(param.name for param in self.params)

    def get(self, name: str) -> Param | None:
        """Give the parameter of that name, or None."""
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

    def mode(self) -> TrialConfig:
        """Give the prior's most probable configuration: what a study tries first."""
        likeliest: TrialConfig = {}
        for param in self.params:
            if is_active(param, likeliest):
                likeliest[param.name] = param.mode()
        return likeliest

    def replaced(self, params: Mapping[str, Param]) -> "Space":
        """Give this space with some parameters exchanged for others of the same name."""
        return Space(tuple(params.get(param.name, param) for param in self.params))

    def pinned(self, values: Mapping[str, Value]) -> "Space":
        """Give the space that is left when some parameters have one value for good."""
        left = (_given(param, values) for param in self.params if param.name not in values)
        return Space(tuple(param for param in left if param is not None))


def is_active(param: Param, drawn: Mapping[str, Value]) -> bool:
    """Say whether `param` exists when the parameters before it have the values `drawn`."""
    return all(name in drawn and drawn[name] == value for name, value in param.when.items())


def _given(param: Param, values: Mapping[str, Value]) -> Param | None:
    """Give the parameter with its settled conditions gone, or None when one can never hold."""
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
                f"{param.name!r} depends on {name!r}, which is not drawn before it;"
                f" {nearest(name, earlier)}"
            )
        if not earlier[name].takes(value):
            raise StudyError(
                f"{param.name!r} waits for {name}={value!r}, which {name!r} never is;"
                " change the condition"
            )
