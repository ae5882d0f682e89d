"""What the store gives back: plain rows, moments in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

State = Literal["WAITING", "RUNNING", "COMPLETE", "PRUNED", "FAIL"]
Stop = Literal["drain", "now"]


@dataclass(frozen=True)
class StudyRow:
    """A stored study; `definition` is the JSON it was created with, keys in their order.

    trials: the budget, how many may leave the queue; None: without end.
    """

    name: str
    study_id: int
    definition: Mapping[str, Any]
    trials: int | None
    fingerprint: str
    data_fingerprint: str
    direction: Literal["minimize", "maximize"]
    stop: Stop | None
    created_at: datetime


@dataclass(frozen=True)
class EpochRow:
    """The numbers of one recorded epoch; `value` is the one that pruning and ranking look at."""

    number: int
    epoch: int
    attempt: int
    value: float
    metrics: Mapping[str, float]
    seconds: float
    images: int
    recorded_at: datetime


@dataclass(frozen=True)
class TrialRow:
    """One trial as it stands: what it was told, who has it, its last and its best epoch.

    outcome, detail: how a final trial ended, under our name for it; None while it runs, and
    "ended_elsewhere" when a person ended it. value: a complete trial's.
    attempts: how many there were. worker: who made the newest, None before the first.
    is_leased: a worker holds it now; a RUNNING trial without a lease waits for its next attempt.
    """

    number: int
    trial_id: int
    state: State
    outcome: str | None
    detail: str | None
    value: float | None
    params: Mapping[str, Any]
    attempts: int
    worker: str | None
    is_leased: bool
    started_at: datetime | None
    ended_at: datetime | None
    last: EpochRow | None
    best: EpochRow | None


@dataclass(frozen=True)
class AttemptRow:
    """One process trying one trial; `reason` says how it ended, None while it runs.

    epochs: how many of the recorded ones are this attempt's.
    """

    number: int
    attempt: int
    worker: str
    host: str
    device: str
    threads: int
    machine: Mapping[str, Any]
    started_at: datetime
    ended_at: datetime | None
    reason: str | None
    detail: str | None
    epochs: int


@dataclass(frozen=True)
class FileRow:
    """A file of an attempt that was put where other machines find it; it may be missing or torn."""

    number: int
    attempt: int
    name: str
    artifact_id: str


@dataclass(frozen=True)
class UseRow:
    """One opening of a study's test split: by whom, and what for ("confirm").

    data_fingerprint: of the data that were opened.
    """

    used_at: datetime
    used_by: str
    purpose: str
    data_fingerprint: str


@dataclass(frozen=True)
class WorkerRow:
    """One worker process; `trial` is the number of the trial it holds now.

    silent_seconds: since it was last heard of. is_overdue: it began a trial and neither ended it
    nor renewed its lease in time, and has not asked for another since.
    """

    worker: str
    host: str
    pid: int
    device: str
    threads: int
    machine: Mapping[str, Any]
    started_at: datetime
    seen_at: datetime
    ended_at: datetime | None
    exit_code: int | None
    reason: str | None
    trial: int | None
    silent_seconds: float
    is_overdue: bool
