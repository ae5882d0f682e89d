"""A generator function of the author's, called as the objectives that come with the package are."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from objectives.contract import Attempt, EpochResult, Objective
from objectives.own.code import Reference
from objectives.own.hyperparameters import recipe_of
from objectives.own.yielded import exits_refused


def own_objective(reference: str, folder: Path) -> Objective:
    """Import a function and return it as an objective; RecipeError where that fails.

    What it returns is not looked at, see `objectives.own.yielded`.

    reference: "train.py:train" or "package.module:function".
    folder: of the study file.
    """
    function = Reference(reference, folder).load()
    recipe = recipe_of(function)

    def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
        with exits_refused():
            given = recipe(**config) if recipe else dict(config)
            results: Iterator[EpochResult] = function(given, attempt)
        return results

    return train
