"""The parts of a fleet that its script and its manifests share: templates and crews."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from search.errors import UsageError
from search.fleet.engine import Order

ARTIFACTS = "SEARCH_ARTIFACTS"


def template(name: str, filters: Mapping[str, Callable[..., Any]]) -> Template:
    """Return a template of this package, in which every name must be known."""
    environment = Environment(
        loader=PackageLoader("search", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(filters)
    return environment.get_template(name)


def crew_count(order: Order, engine: str, places: str) -> int:
    """Return the number of crews that an order's workers make, with `per_gpu` of them each.

    engine: its name in messages.
    places: the engine's word for the places of crews, such as tasks.
    """
    if order.workers is None:
        raise UsageError(
            f"the number of workers is open, and {engine} does not say how many GPUs are yours",
            "give it with --workers N",
        )
    if order.workers % order.per_gpu:
        raise UsageError(
            f"{order.workers} workers do not fill {places} of {order.per_gpu}",
            f"make --workers a multiple of {order.per_gpu}",
        )
    return order.workers // order.per_gpu


def crew_words(order: Order, data: Path | None) -> list[str]:
    """Return the command of a crew, or of its one worker, after the program's own words.

    data: the folder of the data where it runs; None for the one that is remembered there.
    """
    return [
        "worker",
        "--study",
        order.study,
        *(["--workers", str(order.per_gpu)] if order.per_gpu > 1 else []),
        *(["--data", str(data)] if data else []),
        *(["--code", str(order.code)] if order.code else []),
        *(["--accept-versions"] if order.accepts_versions else []),
    ]
