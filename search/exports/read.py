"""Read an exported trial from its file, or refuse it in one line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from objectives import catalog
from search.exports.exported import EXPORT_FORMAT, Exported
from search.exports.fields import UnusableField
from spaces.errors import StudyError

# What yaml raises for a file that is none, or with a tag whose value has another form.
UNREADABLE = (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError)


class _Loader(yaml.SafeLoader):
    """Refuses aliases: no export has one, and ten lines of them make a value of terabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it has an alias, which no export has")
        return super().compose_node(parent, index)


def read_export(path: Path) -> Exported:
    """Read an exported trial.

    Raises StudyError when the file is not an export, or a field of it is missing or of another
    type, and RecipeError when there is no such objective.
    """
    try:
        plain = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise StudyError(
            f"{path} cannot be read ({error.strerror})", "give a file written by `search export`"
        ) from error
    except UNREADABLE as error:
        reason = str(error).splitlines()[0]
        raise StudyError(f"{path} is not YAML ({reason})", "export the trial again") from error
    if not isinstance(plain, dict) or plain.get("format") != EXPORT_FORMAT:
        raise StudyError(f"{path} is not an exported trial", "write one with `search export`")
    try:
        exported = Exported.from_mapping(plain)
        unusable = next(_unknown_metrics(exported), None)
    except UnusableField as error:
        unusable = error.field
    if unusable is not None:
        raise StudyError(f"{path} has no usable {unusable!r}", "export the trial again")
    return exported


def _unknown_metrics(exported: Exported) -> Iterator[str]:
    """Yield the field of each metric that the objective does not report."""
    if exported.own:
        return  # an author's own code reports what it likes
    known = catalog.describe(exported.objective_key).metrics
    if exported.value.metric not in known:
        yield "value.metric"
    fields = ["metrics.value_epoch" for _ in exported.value_epochs]
    if exported.data.folds:
        fields = [f"metrics.value_epochs.{index}" for index in range(len(fields))]
    epochs = (*exported.value_epochs, exported.last_epoch)
    for field, epoch in zip((*fields, "metrics.last_epoch"), epochs, strict=True):
        yield from (f"{field}.{name}" for name in epoch.metrics if name not in known)
