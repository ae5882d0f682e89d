"""The options of a fleet: as they are given, else as at its last `up`, else the defaults."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search.errors import UsageError
from search.fleet.engine import Fleet

DEFAULTS: Mapping[str, Any] = {
    "per_gpu": 1,
    "cpu": False,
    "data": None,
    "code": None,
    "accept_versions": False,
    # of Slurm
    "partition": None,
    "time": None,
    "warn_minutes": 5.0,
    "sbatch": [],
    # of Kubernetes
    "image": "search",
    "namespace": None,
    "data_claim": None,
}
# Not to be changed while a fleet is there: the sizes of Slurm's tasks and pods, a job's template.
FIXED = {
    "ray": (),
    "slurm": ("per_gpu", "cpu"),
    "k8s": ("per_gpu", "cpu", "accept_versions", "image", "namespace", "data_claim"),
}


def resolve_options(given: Mapping[str, Any], earlier: Fleet | None) -> dict[str, Any]:
    """Return the value of each option, in the form in which a fleet's file keeps it.

    Raises UsageError for an option that the fleet which is there cannot change.

    given: the command line's, among others; None where an option was left out.
    earlier: the fleet that is there already.
    """
    named = {name: given[name] for name in DEFAULTS if given[name] is not None}
    named |= {name: str(each.resolve()) for name, each in named.items() if isinstance(each, Path)}
    if earlier is None:
        return {**DEFAULTS, **named}
    before = {**DEFAULTS, **earlier.options}
    for name in FIXED[earlier.engine]:
        if named.get(name, before[name]) != before[name]:
            raise UsageError(
                f"--{name.replace('_', '-')} cannot change while the fleet on {earlier.engine} is"
                " up",
                f"end it first: `search fleet down --study {earlier.study}`",
            )
    return {**before, **named}


def are_options(kept: object) -> bool:
    """Tell whether a fleet's file keeps options of the right kinds."""
    return isinstance(kept, dict) and all(
        name in DEFAULTS and _is_like(value, DEFAULTS[name]) for name, value in kept.items()
    )


def _is_like(value: object, default: object) -> bool:
    if default is None:
        return isinstance(value, str | None)
    if isinstance(default, list):
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if isinstance(default, bool | str):
        return isinstance(value, type(default))
    return isinstance(value, int | float) and value > 0
