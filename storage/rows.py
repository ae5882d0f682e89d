"""The plain values that go into the store and come out of it; moments are in UTC."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

State = Literal["WAITING", "RUNNING", "COMPLETE", "PRUNED", "FAIL"]
Stop = Literal["drain", "now"]
Direction = Literal["minimize", "maximize"]


class Outcome(StrEnum):
    """How a trial ended. The words are stored and exported: they never change."""

    FINISHED = "finished"  # it went through its schedule and has a value
    PRUNED = "pruned"  # its curve, or its folds, were not worth another epoch
    DIVERGED = "diverged"  # a loss was not finite, or exploded
    OUT_OF_MEMORY = "out_of_memory"  # it needs more memory than the device, or the host, has
    CODE_ERROR = "code_error"  # the training code raised an exception
    DATA_ERROR = "data_error"  # the data could not be read or used
    METRIC_OUT_OF_RANGE = "metric_out_of_range"  # such as an accuracy of 96.8
    KILLED = "killed"  # given up: its attempts died in a row without a new epoch between
    STALLED = "stalled"  # given up after such deaths, in the last of which nothing moved
    CUDA_ERROR = "cuda_error"  # given up after such deaths, the last one by a CUDA error
    ENDED_ELSEWHERE = "ended_elsewhere"  # a person ended or added it


WELL = (Outcome.FINISHED, Outcome.PRUNED)  # the ends in which nothing failed
# The ends that no worker told, so that a trial has no badges of its worker.
UNTOLD = (Outcome.KILLED, Outcome.STALLED, Outcome.CUDA_ERROR, Outcome.ENDED_ELSEWHERE)


class HandBackReason(StrEnum):
    """Why an attempt ended although its trial goes on. The words are stored: they never change."""

    DRAINED = "drained"  # its worker was asked to stop after the epoch in flight
    STOPPED_AT_ONCE = "stopped at once"  # its worker was asked to stop in the middle of an epoch
    STOPPED = "stopped"  # its supervisor ended the worker on request, or the worker gave up
    ORPHANED = "orphaned"  # its worker died together with its supervisor
    DEVICE_LOST = "device lost"  # its GPU no longer answers
    LOST = "lost"  # its lease expired and the trial went to the next attempt
    # Three of these in a row, without a new epoch between, give the trial up:
    KILLED = "killed"  # its process died, other than on request
    STALLED = "stalled"  # no step was reported for too long
    CUDA_ERROR = "cuda_error"  # after a CUDA error its process can no longer compute


class Way(StrEnum):
    """How the values of a trial were drawn. The words are stored: they never change."""

    ENQUEUED = "enqueued"  # a person or the study gave them, or some of them
    PRIOR = "prior"  # from the priors alone, before enough trials had ended
    UNIFORM = "uniform"  # without any knowledge
    MODEL = "model"  # from the ended trials alone
    MODEL_WITH_PRIOR = "model_with_prior"  # from the ended trials and the believed priors


@dataclass(frozen=True)
class Drawing:
    """How a trial was drawn, and why so.

    why: the knowledge of the sampler at that time, as JSON holds it.
    """

    way: Way
    why: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """The facts about a study that Optuna's readers show beside its name.

    metric: the name of a trial's value.
    attributes: texts by their names.
    """

    metric: str
    attributes: Mapping[str, str] = field(default_factory=dict)


class Reading(StrEnum):
    """A key of a worker's readings, as they are stored; one that could not be read is missing."""

    GPU_NAME = "gpu_name"
    GPU_PERCENT = "gpu_percent"  # of the time in which the GPU computed, over the last second or so
    GPU_USED_BYTES = "gpu_used_bytes"  # of its memory, by all processes
    GPU_TOTAL_BYTES = "gpu_total_bytes"
    GPU_CELSIUS = "gpu_celsius"
    GPU_WATTS = "gpu_watts"
    RSS_BYTES = "rss_bytes"  # the memory of the worker's process
    CPU_PERCENT = "cpu_percent"  # of one core, since the last reading; above 100 with threads


@dataclass(frozen=True, kw_only=True)
class NewStudy:
    """A study to be stored.

    definition: JSON; the order of its keys is kept.
    trials: the budget, how many trials may begin; None for no limit.
    queue: the parameter values of the first trials, in order.
    manifest: the study's data as CSV text; None for an objective without data.
    shown: see `Shown`; None for nothing.
    """

    name: str
    definition: Mapping[str, Any]
    fingerprint: str
    data_fingerprint: str
    direction: Direction
    trials: int | None
    queue: Sequence[Mapping[str, Any]] = ()
    manifest: str | None = None
    shown: Shown | None = None


@dataclass(frozen=True, kw_only=True)
class NewWorker:
    """A worker process to be registered.

    machine: all else about it, such as the device class, versions and fingerprint of the data.
    """

    name: str
    host: str
    pid: int
    device: str
    threads: int
    machine: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StudyRow:
    """A stored study.

    definition: the JSON it was created with, keys in their order.
    trials: the budget, how many trials may begin; None for no limit.
    stop: the stop request that its workers must obey, None without one.
    """

    name: str
    study_id: int
    definition: Mapping[str, Any]
    trials: int | None
    fingerprint: str
    data_fingerprint: str
    direction: Direction
    stop: Stop | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class TrialEnd:
    """The end of a trial, to be stored.

    state, value: for Optuna; a number for COMPLETE, None otherwise.
    outcome, detail: how it ended, for people.
    where: the type, file and line of the exception that ended it.
    shown: attributes that the dashboard lists.
    links: attributes for programs, such as the files that are kept.
    last_epoch: later ones, which an attempt before recorded, move to the replaced epochs; None for
        the last recorded one.
    """

    state: Literal["COMPLETE", "PRUNED", "FAIL"]
    value: float | None
    outcome: Outcome
    detail: str | None = None
    where: str | None = None
    shown: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, Any] = field(default_factory=dict)
    last_epoch: int | None = None

    def __post_init__(self) -> None:
        is_number = self.value is not None and not math.isnan(self.value)
        if (self.state == "COMPLETE") != is_number:
            raise ValueError(f"a {self.state} trial cannot have the value {self.value}")


@dataclass(frozen=True, kw_only=True)
class EpochRow:
    """The numbers of one recorded epoch of trial `number`.

    epoch: counted from 1, the first finished one.
    attempt: the attempt that recorded it first, with these numbers.
    value: the metric that pruning and ranking look at.
    """

    number: int
    epoch: int
    attempt: int
    value: float
    metrics: Mapping[str, float]
    seconds: float
    images: int
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class TrialRow:
    """One trial: its state, its parameters, its worker, and its last and best epoch.

    outcome, detail: how a final trial ended; None while it runs.
    where: the type, file and line of the exception that ended it.
    value: of a COMPLETE trial; None for others.
    attempts: how many attempts there were.
    worker: the worker of the newest attempt; None before the first.
    is_leased: whether a worker holds it now. A RUNNING trial without a lease waits for its next
        attempt.
    badges: the badges that its worker told with its end, joined by commas; None where it told none.
    drawing: how its values were drawn; None where no note is stored.
    """

    number: int
    trial_id: int
    state: State
    outcome: Outcome | None = None
    detail: str | None = None
    where: str | None = None
    value: float | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 0
    worker: str | None = None
    is_leased: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None
    last: EpochRow | None = None
    best: EpochRow | None = None
    badges: str | None = None
    drawing: Drawing | None = None


@dataclass(frozen=True, kw_only=True)
class AttemptRow:
    """One process that tried trial `number`.

    beat_at: when its lease was last renewed.
    reason, detail: how the attempt ended; None while it runs.
    epochs: how many epochs this attempt recorded first.
    replaced: how many of them a later attempt replaced.
    """

    number: int
    trial_id: int
    attempt: int
    worker: str
    host: str
    device: str
    threads: int
    machine: Mapping[str, Any]
    started_at: datetime
    beat_at: datetime
    ended_at: datetime | None
    reason: Outcome | HandBackReason | None
    detail: str | None
    epochs: int
    replaced: int = 0


@dataclass(frozen=True, kw_only=True)
class FileRow:
    """The note of a file that an attempt shares with other machines; the file may be missing."""

    number: int
    attempt: int
    worker: str
    name: str
    artifact_id: str


@dataclass(frozen=True, kw_only=True)
class WorkerRow:
    """One worker process.

    seen_at: its latest claim or beat.
    trial: the number of the trial it holds now; None for none.
    silent_seconds: the time since `seen_at`, by the database's clock.
    is_overdue: whether the lease of its latest attempt expired and it has not claimed since.
    readings: by Reading, of its device and process before its last beat; None before the first.
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
    readings: Mapping[str, Any] | None = None
