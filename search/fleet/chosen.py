"""The options of a fleet: as they are given, else as at its last `up`, else the defaults."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search.fleet.engine import Fleet

DEFAULTS: Mapping[str, Any] = {
    "per_gpu": 1,
    "cpu": False,
    "data": None,
    "code": None,
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


def choose(given: Mapping[str, Any], earlier: Fleet | None) -> dict[str, Any]:
    """Return the value of each option, in the form in which a fleet's file keeps it.

    given: the command line's, among others; None where an option was left out.
    earlier: the fleet that is there already.
    """
    named = {name: given[name] for name in DEFAULTS if given[name] is not None}
    folders = {name: str(each.resolve()) for name, each in named.items() if isinstance(each, Path)}
    return {**DEFAULTS, **(earlier.options if earlier else {}), **named, **folders}


def are_options(kept: object) -> bool:
    """Tell whether a fleet's file keeps options of the right kinds."""
    return isinstance(kept, dict) and all(
        name in DEFAULTS and _is_like(value, DEFAULTS[name]) for name, value in kept.items()
    )


def _is_like(value: object, default: object) -> bool:
    return isinstance(value, str | None) if default is None else type(value) is type(default)
