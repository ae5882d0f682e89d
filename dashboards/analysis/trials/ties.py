"""Which of the best trials cannot be told from the best one.

A trial is tied with the best one where the 95 % interval of their difference holds 0. Both are
taken from the same draws of whole groups of the validation split (`groups.csv` of each). Where that
table is missing, or tells nothing of the study's metric, a trial is tied where its value lies in
the best one's own interval, which is the wider one. In a study with folds nothing is said.
"""

import math
import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from dashboards.analysis.snapshot import Snapshot
from dashboards.analysis.trials.kept import KeptTable, KeptTables
from dashboards.analysis.trials.measures import interval_of
from dashboards.analysis.trials.paired import Measured, paired_difference
from objectives.contract import BALANCED_ACCURACY, GROUPS, RULER, DataError
from objectives.groups.draws import Numbers
from objectives.groups.sums import GroupSums
from objectives.groups.table import read_groups
from spaces.study import Study
from storage.reader import StoreReader
from storage.rows import TrialRow

FEWEST = 3  # finished trials; of fewer, nothing is said
FEWEST_GROUPS = 5  # in the validation split; over fewer, nothing is compared
LOOK_SECONDS = 0.3  # what takes longer is left to the next looks
NEAR = 0.01  # relative; a table further off the trial's value is of another epoch


class Basis(StrEnum):
    """The grounds on which a trial was compared with the best one."""

    GROUPS = "groups"  # the interval of their difference over the same groups
    INTERVAL = "interval"  # the best one's own interval


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One of the best trials.

    basis: None where it cannot be compared; of the best one None as well.
    difference, low, high: its value minus the best one's, with its interval; None without groups.
    weakest, recall: the class with the least recall; None where no table says so.
    """

    trial: int
    is_tied: bool
    basis: Basis | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    weakest: str | None = None
    recall: float | None = None


@dataclass(frozen=True, kw_only=True)
class Ties:
    """The best trials, best first, each compared with the first one.

    is_whole: whether FEWEST have finished and all of these have been compared; nothing is tied
        before.
    groups: the number of groups that are drawn, or that are too few; 0 where no difference was.
    """

    trials: Sequence[Compared] = ()
    is_whole: bool = False
    groups: int = 0

    @property
    def tied(self) -> frozenset[int]:
        """The numbers of the trials that cannot be told from the best one, it left out."""
        return frozenset(each.trial for each in self.trials[1:] if each.is_tied)

    @property
    def has_few_groups(self) -> bool:
        """Whether nothing was compared because there are too few groups."""
        return 0 < self.groups < FEWEST_GROUPS

    @property
    def bases(self) -> frozenset[Basis]:
        """The grounds that were used."""
        return frozenset(each.basis for each in self.trials if each.basis)


@dataclass(frozen=True)
class Judged:
    """A finished trial with its sums by group; None where it kept none that can be read."""

    trial: TrialRow
    sums: GroupSums | None


class TiesReader:
    """Compares the best trials of one study; each table is read once."""

    def __init__(self, tables: KeptTables) -> None:
        self._tables = tables
        self._sums: dict[KeptTable, GroupSums | None] = {}
        self._known: dict[Hashable, Compared] = {}

    def read(self, store: StoreReader, snapshot: Snapshot) -> Ties:
        """Compare the best trials that have not been compared yet, for LOOK_SECONDS."""
        ranking, study = snapshot.look.ranking, snapshot.study
        if not ranking or study.folds:
            return Ties()
        until = time.monotonic() + LOOK_SECONDS
        tables: list[KeptTable] = []
        sums: dict[KeptTable, GroupSums | None] = {}
        known: dict[Hashable, Compared] = {}
        for trial in ranking:
            if tables and time.monotonic() > until:
                break
            tables.append(self._tables.read(trial, GROUPS))
            for table in {tables[0], tables[-1]} - sums.keys():
                sums[table] = self._sums[table] if table in self._sums else read_sums(table)
            best, other = Judged(ranking[0], sums[tables[0]]), Judged(trial, sums[tables[-1]])
            key = (best.trial.trial_id, trial.trial_id, tables[0], tables[-1])
            known[key] = self._known.get(key) or compare(best, other, study)
        self._sums, self._known = sums, known
        return _ties(list(known.values()), len(ranking), sums[tables[0]])


def compare(best: Judged, other: Judged, study: Study) -> Compared:
    """Compare a trial with the best one."""
    weakest, recall = _weakest(other.sums)
    plain = Compared(
        trial=other.trial.number, is_tied=other.trial is best.trial, weakest=weakest, recall=recall
    )
    if other.trial is best.trial or has_few_groups(best.sums):
        return plain
    return _paired(plain, best, other, study.metric) or _within(plain, best, other, study)


def has_few_groups(sums: GroupSums | None) -> bool:
    """Say whether a split has too few groups for an interval over them to mean anything."""
    return sums is not None and len(sums.groups) < FEWEST_GROUPS


def _paired(plain: Compared, best: Judged, other: Judged, metric: str) -> Compared | None:
    """Compare over the groups; None where that is not possible."""
    measured = MEASURED.get(metric)
    if measured is None or best.sums is None or other.sums is None:
        return None
    if not all(_is_of_value(each.trial, each.sums, measured) for each in (best, other)):
        return None
    found = paired_difference(other.sums, best.sums, measured)
    if found is None or math.isnan(found.low):
        return None
    return replace(
        plain,
        basis=Basis.GROUPS,
        is_tied=found.low <= 0 <= found.high,
        difference=found.value,
        low=found.low,
        high=found.high,
    )


def _within(plain: Compared, best: Judged, other: Judged, study: Study) -> Compared:
    """Compare with the best one's own interval, where it has one."""
    low, high = interval_of(study, best.trial)
    value = other.trial.value
    if value is None or low is None or high is None or math.isnan(low + high):
        return plain
    return replace(plain, basis=Basis.INTERVAL, is_tied=low <= value <= high)


def _is_of_value(trial: TrialRow, sums: GroupSums | None, measured: Measured) -> bool:
    """Say whether the sums are those of the epoch that gave the trial its value."""
    if sums is None or trial.value is None:
        return False
    (value,) = measured(sums, np.ones((1, len(sums.groups)))).tolist()
    return math.isclose(value, trial.value, rel_tol=NEAR)


def _weakest(sums: GroupSums | None) -> tuple[str | None, float | None]:
    if sums is None:
        return None, None
    (recalls,) = sums.recalls(np.ones((1, len(sums.groups))))
    if np.isnan(recalls).all():
        return None, None
    at = int(np.nanargmin(recalls))
    return sums.classes[at], float(recalls[at])


def _accuracies(sums: GroupSums, times: Numbers) -> Numbers:
    shares: Numbers = times @ sums.right.sum(axis=1) / (times @ sums.images.sum(axis=1))
    return shares


def _ties(trials: list[Compared], ranked: int, best: GroupSums | None) -> Ties:
    """Return what was found; nothing is tied before all are compared, and among fewer than FEWEST.

    ranked: how many there are to compare.
    """
    if ranked < FEWEST or len(trials) < ranked:
        first, *others = trials
        trials = [first, *(replace(each, is_tied=False, basis=None) for each in others)]
    is_paired = any(each.basis is Basis.GROUPS for each in trials)
    return Ties(
        trials=trials,
        is_whole=ranked >= FEWEST and len(trials) == ranked,
        groups=len(best.groups) if best and (is_paired or has_few_groups(best)) else 0,
    )


def read_sums(table: KeptTable) -> GroupSums | None:
    """Read a kept `groups.csv`; None where it is missing or another table."""
    try:
        return read_groups(table.text) if table.text else None
    except DataError:
        return None


# The metrics that the sums tell.
MEASURED: Mapping[str, Measured] = {
    RULER: GroupSums.mean_losses,
    BALANCED_ACCURACY: GroupSums.balanced_accuracies,
    "val_top1": _accuracies,
}
