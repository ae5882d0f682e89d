"""The configurations of some trials side by side, and the keys in which they differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dashboards.analysis.snapshot import Snapshot
from spaces.stored import StoredStudy


class Kind(StrEnum):
    """Where a value comes from."""

    SEARCHED = "searched"  # drawn by the sampler, or given with a queued trial
    FIXED = "fixed"  # by the study, or by `--set`
    DEFAULT = "default"  # of the objective


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One hyperparameter in some trials.

    values: of each trial, in their order.
    has_it: whether each trial has it; a searched one exists only under its conditions.
    """

    name: str
    kind: Kind
    values: Sequence[Any]
    has_it: Sequence[bool]

    @property
    def differs(self) -> bool:
        """Whether the trials do not all have the same value."""
        pairs = list(zip(self.has_it, self.values, strict=True))
        return any(pair != pairs[0] for pair in pairs)


def settings(snapshot: Snapshot, drawn: Sequence[Mapping[str, Any]]) -> list[Setting]:
    """List every hyperparameter: the searched ones in drawing order, fixed ones, defaults.

    drawn: the values that each trial drew.
    """
    return [*_searched(snapshot, drawn), *_settled(snapshot.stored, drawn)]


def differing(found: Sequence[Setting]) -> list[str]:
    """Return the names of the hyperparameters in which trials differ."""
    return [each.name for each in found if each.differs]


def _searched(snapshot: Snapshot, drawn: Sequence[Mapping[str, Any]]) -> Iterator[Setting]:
    """Yield the searched ones, and those that a trial of another program has beside them."""
    names = dict.fromkeys([*snapshot.study.space.names, *(name for each in drawn for name in each)])
    for name in names:
        yield Setting(
            name=name,
            kind=Kind.SEARCHED,
            values=[each.get(name) for each in drawn],
            has_it=[name in each for each in drawn],
        )


def _settled(stored: StoredStudy, drawn: Sequence[Mapping[str, Any]]) -> Iterator[Setting]:
    fixed = stored.study.fixed
    searched = {*stored.study.space.names, *(name for each in drawn for name in each)}
    for name in [*fixed, *(each for each in stored.settled if each not in fixed)]:
        if name not in searched:
            yield Setting(
                name=name,
                kind=Kind.FIXED if name in fixed else Kind.DEFAULT,
                values=[stored.settled[name]] * len(drawn),
                has_it=[True] * len(drawn),
            )
