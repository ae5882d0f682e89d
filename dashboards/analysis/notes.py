"""Remarks on workers: one that died, waits for images, slows down, or lacks memory."""

from collections.abc import Iterator, Sequence

from dashboards.analysis.badges import is_in_parts
from dashboards.analysis.numbers import counted, percent, span
from dashboards.analysis.snapshot import Snapshot
from objectives.contract import MICRO_BATCH
from spaces.exits import DEVICE_LOST, ORDERLY
from storage.rows import EpochRow, TrialRow, WorkerRow

WAITS = 0.1  # of an epoch for images; above this the data is too slow for the device
SLOW = 0.7  # of the speed of the trial's best epoch; below this something holds it up
NEWS_SECONDS = 300  # for so long the death of a worker is named


def notes_of(
    snapshot: Snapshot, live: Sequence[WorkerRow], ended_workers: Sequence[WorkerRow]
) -> Iterator[str]:
    """Yield a remark in a few words on each fault that does not stop the study.

    live: the workers at work.
    ended_workers: those that ended last, newest first.
    """
    yield from lost_gpus(live, ended_workers)
    yield from _died(snapshot, ended_workers)
    found = [(worker, snapshot.running_trial(worker.trial)) for worker in live]
    trials = [(worker.worker, trial) for worker, trial in found if trial]
    yield from _waiting(trials)
    yield from _slower(trials)
    yield from _in_parts(snapshot, [trial for _, trial in trials])


def lost_gpus(live: Sequence[WorkerRow], ended_workers: Sequence[WorkerRow]) -> Iterator[str]:
    """Name each GPU that no longer answers, until a worker trains on it again."""
    used = {(worker.host, worker.machine.get("gpu")) for worker in live}
    lost = {
        (worker.host, worker.machine.get("gpu")): worker.reason or "a GPU is lost"
        for worker in reversed(ended_workers)
        if worker.exit_code == DEVICE_LOST
    }
    yield from (reason for device, reason in lost.items() if device not in used)


def _died(snapshot: Snapshot, ended_workers: Sequence[WorkerRow]) -> Iterator[str]:
    """Name the worker that ended last, where it died or was killed a short while ago."""
    last = next(iter(ended_workers), None)
    told = (None, DEVICE_LOST, *ORDERLY)
    if last is None or last.ended_at is None or last.exit_code in told:
        return
    ago = (last.seen_at - last.ended_at).total_seconds() + last.silent_seconds
    if ago <= NEWS_SECONDS:
        code = last.exit_code
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        is_left = any(trial.worker == last.worker for trial in snapshot.running)
        goes_on = "; its trial goes on" if is_left else ""
        yield f"a worker died {span(ago)} ago ({how}){goes_on}"


def _waiting(trials: Sequence[tuple[str, TrialRow]]) -> Iterator[str]:
    shares = [(waiting_share(trial) or 0, worker) for worker, trial in trials]
    waiting = sorted((share, name) for share, name in shares if share > WAITS)
    if len(waiting) == 1:
        yield f"{waiting[0][1]} waits {percent(waiting[0][0], 0)} of its time for images"
    elif waiting:
        most = percent(waiting[-1][0], 0)
        yield f"{len(waiting)} workers wait for images, up to {most} of their time"


def _slower(trials: Sequence[tuple[str, TrialRow]]) -> Iterator[str]:
    """Name the worker that has slowed down most within its trial."""
    speeds = [
        (speed(trial.last) / speed(trial.best), worker, trial.best.epoch)
        for worker, trial in trials
        if trial.last and trial.best and speed(trial.best)
    ]
    slowest = min(speeds, default=None)
    if slowest and slowest[0] < SLOW:
        share, worker, epoch = slowest
        yield f"{worker} trains at {percent(share, 0)} of its speed in epoch {epoch}"


def _in_parts(snapshot: Snapshot, trials: Sequence[TrialRow]) -> Iterator[str]:
    """Count the trials whose batches did not fit into the memory."""
    at_once = [
        (trial, trial.last.metrics[MICRO_BATCH])
        for trial in trials
        if trial.last and MICRO_BATCH in trial.last.metrics
    ]
    short = [
        trial
        for trial, images in at_once
        if is_in_parts(snapshot.stored.config(trial.params), images)
    ]
    if short:
        said = counted(len(short), "running trial takes", "running trials take")
        yield f"memory is short: {said} a batch in parts"


def speed(epoch: EpochRow) -> float:
    """Return the images that an epoch trained in a second; 0 where its time is unknown."""
    return epoch.images / epoch.seconds if epoch.seconds else 0.0


def waiting_share(trial: TrialRow) -> float | None:
    """Return the share of its last epoch that a trial waited for images; None where unknown."""
    metrics = trial.last.metrics if trial.last else {}
    waited, computed = metrics.get("data_wait_s"), metrics.get("compute_s")
    if waited is None or computed is None or waited + computed <= 0:
        return None
    return float(waited / (waited + computed))
