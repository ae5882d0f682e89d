"""The newest trials that ended without a value: pruned ones, and failed ones with their reasons."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dashboards.analysis.snapshot import Snapshot
from storage.reader import StoreReader
from storage.rows import WELL, Outcome, TrialRow

MOST = 20
PRUNED = (Outcome.PRUNED,)
FAILED = tuple(set(Outcome) - {*WELL})


@dataclass(frozen=True)
class Latest:
    """The newest pruned and the newest failed trials, the newest first, MOST of each.

    failed: all that neither finished nor were pruned by the study.
    """

    pruned: Sequence[TrialRow] = ()
    failed: Sequence[TrialRow] = ()


class LatestReader:
    """Reads them once; later the snapshots bring the new ones."""

    def __init__(self) -> None:
        self._last: Latest | None = None

    def read(self, store: StoreReader, snapshot: Snapshot) -> Latest:
        """Add the trials that have ended since the snapshot before."""
        name, ended = snapshot.study.name, snapshot.look.ended
        if self._last is None:
            pruned, failed = (store.latest_trials(name, ways, MOST) for ways in (PRUNED, FAILED))
            self._last = Latest(pruned, failed)
        elif ended:
            self._last = replace(
                self._last,
                pruned=_with(self._last.pruned, ended, PRUNED),
                failed=_with(self._last.failed, ended, FAILED),
            )
        return self._last


def _with(
    known: Sequence[TrialRow], ended: Iterable[TrialRow], ways: Sequence[Outcome]
) -> list[TrialRow]:
    rows = {row.number: row for row in known}
    rows |= {row.number: row for row in ended if (row.outcome or Outcome.ENDED_ELSEWHERE) in ways}
    return [rows[number] for number in sorted(rows, reverse=True)[:MOST]]
