"""Everything that terminals, pages and other programs show about one study at one moment."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from search.analysis.badges import Badges, read_badges
from search.analysis.identical import IdenticalTrials, read_identical_trials
from search.analysis.snapshot import Snapshot, read_snapshot
from storage.store import Store


@dataclass(frozen=True)
class Frame:
    """A study's rows and the conclusions drawn from them."""

    snapshot: Snapshot
    badges: Badges
    identical_trials: Sequence[IdenticalTrials] = ()

    def as_mapping(self) -> dict[str, Any]:
        """Return the frame as plain JSON: times in ISO 8601, null for numbers that are not finite.

        This is the output of `search status --json`.
        """
        snapshot = self.snapshot
        best = snapshot.best
        whole: dict[str, Any] = _plain(
            {
                "study": asdict(snapshot.row),
                "is_practice": snapshot.stored.found.is_practice,
                "skipped_checks": list(snapshot.stored.found.skipped_checks),
                "test_uses": [asdict(use) for use in snapshot.test_uses],
                "outcomes": snapshot.outcomes,
                "best": best.number if best else None,
                "trials": [
                    {**asdict(trial), "badges": self.badges.get(trial.number, ())}
                    for trial in snapshot.trials
                ],
                "identical_trials": [asdict(pair) for pair in self.identical_trials],
                "workers": [asdict(worker) for worker in snapshot.workers],
            }
        )
        return whole


def read_frame(store: Store, name: str) -> Frame:
    """Read the study of that name; UnknownStudy when there is none."""
    snapshot = read_snapshot(store, name)
    return Frame(snapshot, read_badges(store, snapshot), read_identical_trials(store, snapshot))


def _plain(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case datetime():
            return value.isoformat()
        case Mapping():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
    return value
