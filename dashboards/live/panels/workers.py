"""The workers: the trial, the speed and the device of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from dashboards.analysis import numbers
from dashboards.analysis.curves.course import Course
from dashboards.analysis.notes import WAITS, speed, waiting_share
from dashboards.analysis.overview import Overview
from dashboards.analysis.wording import epochs
from dashboards.live.view import View
from dashboards.marks import paths
from storage.rows import Reading, TrialRow, WorkerRow

SHOWN = 16
SPARK = 16  # pixels
OF_GPU = {Reading.GPU_PERCENT: "GPU {:.0f} %", Reading.GPU_CELSIUS: "{:.0f} °C"}
GIGABYTE = 2**30


@dataclass(frozen=True, kw_only=True)
class Worker:
    """One worker in words.

    percent: of its trial's schedule.
    series: the place of its trial's curve, which gives its colour; None for one without.
    spark: a line through the speeds of its epochs; "" without a curve.
    """

    name: str
    device: str
    trial: int | None
    epoch: str
    percent: float
    series: int | None
    speed: str
    spark: str
    waits: str
    is_waiting_long: bool
    readings: Sequence[str]
    seen_at: datetime
    is_late: bool


@dataclass(frozen=True, kw_only=True)
class Workers:
    """The workers that are shown, the speed of all, and how many more there are."""

    workers: Sequence[Worker]
    together: str
    left_out: int


def workers(overview: Overview, view: View) -> Workers:
    """Build the panel of workers."""
    live = overview.workers
    courses = {course.number: course for course in overview.courses.running}
    speeds = [
        _speed(trial)
        for worker in live
        if (trial := overview.snapshot.running_trial(worker.trial)) is not None
    ]
    return Workers(
        workers=[_worker(overview, worker, courses) for worker in live[:SHOWN]],
        together=f"{numbers.whole(sum(speeds))} images/s together" if sum(speeds) else "",
        left_out=max(0, len(live) - SHOWN),
    )


def _worker(overview: Overview, worker: WorkerRow, courses: Mapping[int, Course]) -> Worker:
    trial = overview.snapshot.running_trial(worker.trial)
    course = courses.get(trial.number) if trial else None
    readings = worker.readings or {}
    waits = waiting_share(trial) if trial else None
    speed = _speed(trial) if trial else 0.0
    return Worker(
        name=worker.worker,
        device=str(readings.get(Reading.GPU_NAME, worker.device)),
        trial=worker.trial,
        epoch=f"epoch {epochs(overview.snapshot, trial)}" if trial else "waiting for a trial",
        percent=_percent(overview, trial) if trial else 0.0,
        series=course.place if course else None,
        speed=f"{numbers.whole(speed)} images/s" if speed else "",
        spark=_spark(course) if course else "",
        waits=f"waits {numbers.percent(waits, 0)} for images" if waits is not None else "",
        is_waiting_long=(waits or 0) > WAITS,
        readings=list(_readings(readings)),
        seen_at=worker.seen_at,
        is_late=worker.is_overdue,
    )


def _speed(trial: TrialRow) -> float:
    return speed(trial.last) if trial.last else 0.0


def _spark(course: Course) -> str:
    """Draw the speed of each epoch; "" before the third."""
    ends = zip((0, *course.epochs), (0.0, *course.minutes), strict=True)
    speeds = [
        (epoch - before) / (minute - since)
        for (before, since), (epoch, minute) in pairwise(ends)
        if minute > since
    ]
    return paths.spark(speeds, SPARK) if len(speeds) > 2 else ""


def _percent(overview: Overview, trial: TrialRow) -> float:
    planned = overview.snapshot.planned_epochs(trial)
    total = (planned or 0) * max(1, overview.study.folds)
    return min(100.0, 100 * trial.last.epoch / total) if trial.last and total else 0.0


def _readings(readings: Mapping[str, Any]) -> Iterator[str]:
    """Yield the readings of a GPU, or without one of the process, in a few words each."""
    if Reading.GPU_NAME in readings:
        yield from (form.format(readings[key]) for key, form in OF_GPU.items() if key in readings)
        if Reading.GPU_USED_BYTES in readings and Reading.GPU_TOTAL_BYTES in readings:
            used, total = readings[Reading.GPU_USED_BYTES], readings[Reading.GPU_TOTAL_BYTES]
            yield f"{used / GIGABYTE:.1f} of {total / GIGABYTE:.0f} GB"
        return
    if Reading.CPU_PERCENT in readings:
        yield f"CPU {readings[Reading.CPU_PERCENT]:.0f} %"
    if Reading.RSS_BYTES in readings:
        yield f"{readings[Reading.RSS_BYTES] / GIGABYTE:.1f} GB"
