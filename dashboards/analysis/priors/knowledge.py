"""The knowledge that a study's sampler has of the priors, as it stood at the newest draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spaces.space import Space
from storage.rows import Way

if TYPE_CHECKING:  # SQLAlchemy, which checking the rules alone does without
    from dashboards.analysis.snapshot import Snapshot
    from storage.live.draws import Draws
    from storage.reader import StoreReader


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """The sampler's knowledge when it drew the newest trial of which that is stored.

    ways: how many trials were drawn in each way; empty where no draw is stored.
    trial: the number of that trial; None before the first one.
    record: how clearly draws with the prior do better than those without, as the sampler saw it.
    compared: how many ended trials that comparison had, by "with" and "without".
    trust: by hyperparameter, the probability that what its prior favours gives better results.
    believed: the hyperparameters whose priors were used.
    """

    ways: Mapping[Way, int] = field(default_factory=dict)
    trial: int | None = None
    record: float | None = None
    compared: Mapping[str, int] = field(default_factory=dict)
    trust: Mapping[str, float] = field(default_factory=dict)
    believed: Sequence[str] = ()


class KnowledgeReader:
    """Reads the knowledge of one study; only what has changed since the time before."""

    def __init__(self) -> None:
        self._drawn: object = None
        self._draws: Draws | None = None
        self._last = Knowledge()

    def read(self, store: "StoreReader", snapshot: "Snapshot") -> Knowledge:
        """Read it again if a trial was drawn since."""
        drawn = (snapshot.total, snapshot.ended, _with_values(snapshot))
        if drawn != self._drawn:
            self._draws = store.draws(snapshot.study.name, self._draws)
            self._drawn, self._last = drawn, knowledge_of(self._draws, snapshot.study.space)
        return self._last


def read_knowledge(store: "StoreReader", snapshot: "Snapshot") -> Knowledge:
    """Read the knowledge of a study once."""
    return knowledge_of(store.draws(snapshot.study.name), snapshot.study.space)


def knowledge_of(draws: "Draws", space: Space) -> Knowledge:
    """Return what the draws of a study tell; hyperparameters in the order of the space."""
    trust, believed = draws.why.get("trust", {}), draws.why.get("believed", ())
    return Knowledge(
        ways=draws.ways,
        trial=draws.trial,
        record=draws.why.get("record"),
        compared=draws.why.get("compared", {}),
        trust={name: trust[name] for name in space.names if name in trust},
        believed=[name for name in space.names if name in believed],
    )


def _with_values(snapshot: "Snapshot") -> frozenset[int]:
    """Return the running trials that have their values, and with these the note of their draw."""
    return frozenset(trial.number for trial in snapshot.running if trial.params)
