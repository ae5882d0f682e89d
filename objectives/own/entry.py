"""An objective of the author's own, as the catalog asks for it: known by its description alone.

Readers of a study need no code of the author's: pages, status and exports work without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objectives.contract import DataSource, Objective, ObjectiveFields, RecipeError
from objectives.own.code import Reference, changed
from objectives.own.generator import own_objective
from objectives.own.journal import journaled
from objectives.recipe.fields import check_value, nearest
from objectives.reported import COMMON_METRICS
from objectives.script.objective import script_objective
from objectives.script.reports import whole_reports


@dataclass(frozen=True)
class OwnCode:
    """An objective of one's own; `description` is what `objectives.own.describe` returned."""

    description: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The reference, such as "train.py:train"."""
        return str(self.description["reference"])

    @property
    def described(self) -> ObjectiveFields:
        """Its hyperparameters, and the metrics that mean the same in anybody's code."""
        return ObjectiveFields(
            self.description["fields"],
            COMMON_METRICS,
            deterministic=self.description["deterministic"],
        )

    def load(self, folder: Path | None) -> Objective:
        """Import the author's code, and whatever it imports.

        folder: of the study file, or the one that has its code on this machine.
        """
        if folder is None:
            raise RecipeError(f"the code of {self.name} is not on this machine", "give --code DIR")
        if self.description["kind"] == "script":
            return journaled(script_objective(self.description["declared"], folder), whole_reports)
        return journaled(own_objective(self.name, folder))

    def changed(self, folder: Path) -> list[str]:
        """Return the files of the code that differ in a folder from those described, or miss."""
        if self.description["kind"] == "script":
            return changed(self.description["files"], folder)
        return changed(self.description["files"], Reference(self.name, folder).root)

    def check(self, config: Mapping[str, Any]) -> None:
        """Raise RecipeError for a key that the code does not have, or a value outside its range."""
        known = self.description["fields"]
        if known is None:
            return
        for name, value in config.items():
            if name not in known:
                fix = f"did you mean {nearest(name, known)!r}?" if known else "leave it out"
                raise RecipeError(f"{self.name} has no parameter {name!r}", fix)
            check_value(f"{self.name}: {name}", value, known[name])
        for name in known:
            if known[name].get("required") and name not in config:
                raise RecipeError(f"{self.name}: {name} has no value", "fix it or search it")

    def schedule(self, config: Mapping[str, Any]) -> dict[str, int]:
        """Return the values of `epochs` and of `warmup_epochs`; 0 where there are none."""
        return {
            "epochs": _whole(config.get("epochs")),
            "settled_epoch": _whole(config.get("warmup_epochs")),
        }

    def reads(self, source: DataSource) -> bool:
        """Say whether the study declares data."""
        return bool(source.layout["kind"] != "none")


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and value > 0 else 0
