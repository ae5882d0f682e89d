"""Everything that is stored of one trial, read again and again while it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from dashboards.analysis.badges import badges, of_line
from dashboards.analysis.curves.course import Course, course_of
from dashboards.analysis.folds import fold_of, fold_values
from dashboards.analysis.snapshot import Snapshot
from dashboards.analysis.trials.classes import Classes, find_classes
from dashboards.analysis.trials.kept import KeptTables
from objectives.contract import CONFUSION_MATRIX, PER_CLASS
from storage.artifacts import ArtifactStore, artifact_store, linked
from storage.errors import StorageError
from storage.live.rungs import RungRow
from storage.optuna_inside import QUEUED
from storage.reader import StoreReader
from storage.rows import AttemptRow, EpochRow, TrialRow

TRACEBACK = "traceback.txt"
MOST_READ = 1000  # epochs of a trial


@dataclass(frozen=True, kw_only=True)
class KeptFile:
    """A file that a trial kept.

    size: in bytes; None where it is missing, or the artifact store does not answer.
    """

    name: str
    artifact_id: str
    size: int | None


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """One trial.

    queued: the values that it was queued with; None for a trial that the sampler drew.
    courses: the curves, one for each fold that has begun.
    fold_values: by fold; empty in a study without folds.
    rungs: where it was compared with its kin, in order.
    classes: None before its end.
    traceback: the text of its failure; "" for none.
    """

    trial: TrialRow
    badges: Sequence[str]
    queued: Mapping[str, Any] | None
    courses: Sequence[Course]
    fold_values: Mapping[int, float]
    attempts: Sequence[AttemptRow]
    rungs: Sequence[RungRow] = ()
    files: Sequence[KeptFile] = ()
    classes: Classes | None = None
    traceback: str = ""


@dataclass(frozen=True, kw_only=True)
class _Kept:
    files: Sequence[KeptFile] = ()
    classes: Classes | None = None
    traceback: str = ""


class RecordReader:
    """Reads one trial; its files once, after its end.

    location: of the artifact store, see `storage.artifacts.artifact_store`.
    """

    def __init__(self, location: str, study: str, number: int) -> None:
        self._location, self._study, self._number = location, study, number
        self._tables = KeptTables(location, study)
        self._store: ArtifactStore | None = None
        self._kept: dict[int, _Kept] = {}  # by the trial's id

    def read(self, store: StoreReader, snapshot: Snapshot) -> TrialRecord | None:
        """Read the trial; None where there is none of that number."""
        rows = store.trials_of(self._study, [self._number])
        if not rows:
            return None
        trial = rows[0]
        epochs = store.sampled_epochs(self._study, [self._number], MOST_READ)
        attributes = store.optuna_storage.get_trial(trial.trial_id).system_attrs
        return TrialRecord(
            trial=trial,
            badges=_badges(snapshot, trial, epochs),
            queued=attributes.get(QUEUED),
            courses=_courses(snapshot, trial, epochs),
            fold_values=_fold_values(snapshot, epochs),
            attempts=store.attempts(self._study, self._number),
            rungs=store.rungs(self._study, [self._number]),
            **vars(self._read_kept(trial, attributes)),
        )

    def _read_kept(self, trial: TrialRow, attributes: Mapping[str, Any]) -> _Kept:
        if trial.state in ("RUNNING", "WAITING"):
            return _Kept()
        if trial.trial_id not in self._kept:
            recalls, confusion, traceback = (
                self._tables.read(trial, name) for name in (PER_CLASS, CONFUSION_MATRIX, TRACEBACK)
            )
            kept = _Kept(
                files=self._files(attributes),
                classes=find_classes(trial.number, recalls, confusion),
                traceback=traceback.text,
            )
            if any(file.size is None for file in kept.files):
                return kept  # the artifact store does not answer; it is asked again
            self._kept = {trial.trial_id: kept}
        return self._kept[trial.trial_id]

    def _files(self, attributes: Mapping[str, Any]) -> list[KeptFile]:
        return [
            KeptFile(name=name, artifact_id=artifact_id, size=self._size(artifact_id))
            for name, artifact_id in linked(attributes).items()
        ]

    def _size(self, artifact_id: str) -> int | None:
        try:
            self._store = self._store or artifact_store(self._location)
            return self._store.size(artifact_id)
        except (StorageError, OSError):
            return None


def read_curve(store: StoreReader, snapshot: Snapshot, trial: TrialRow) -> Course | None:
    """Read the curve of a trial, of its newest fold; None before its first epoch."""
    epochs = store.sampled_epochs(snapshot.study.name, [trial.number], MOST_READ)
    return _courses(snapshot, trial, epochs)[-1] if epochs else None


def _badges(snapshot: Snapshot, trial: TrialRow, epochs: Sequence[EpochRow]) -> Sequence[str]:
    """Return the badges that its worker told, or those of its epochs so far."""
    if trial.badges is not None:
        return of_line(trial.badges)
    return badges(snapshot.stored.config(trial.params), trial.outcome, epochs)


def _courses(snapshot: Snapshot, trial: TrialRow, epochs: Sequence[EpochRow]) -> list[Course]:
    planned, folds = snapshot.planned_epochs(trial), snapshot.study.folds
    by_fold = groupby(epochs, key=lambda row: fold_of(row.metrics))
    return [course_of(trial, list(rows), planned, folds) for _, rows in by_fold]


def _fold_values(snapshot: Snapshot, epochs: Sequence[EpochRow]) -> dict[int, float]:
    if not snapshot.study.folds:
        return {}
    values = {row.epoch: row.value for row in epochs}
    return fold_values(snapshot.study, values, {row.epoch: row.metrics for row in epochs})
