"""Write down the end of an attempt: its files first, then the database, old files last."""

import logging

from objectives.files.disk import when_there_is_room
from search.analysis.badges import badges
from search.analysis.snapshot import Snapshot
from search.worker import files
from search.worker.breaker import check_broken
from search.worker.endings import (
    Failed,
    Finished,
    HandedBack,
    Lost,
    Pruned,
    Settled,
    optuna_state,
)
from search.worker.leased_trial import Halted, LeasedTrial
from search.worker.worker import Worker
from storage.rows import HandBackReason

log = logging.getLogger(__name__)


def settle(leased: LeasedTrial, settled: Settled) -> Snapshot | None:
    """Write an attempt's ending down; return the study's rows after it if it ended the trial.

    Raises StudyBroken when it is the last of several trials that ended by the same error.
    """
    log.info("trial %d: %s", leased.claim.number, settled.ending)
    with leased.noticing_loss():
        try:
            _write_down(leased, settled)
        except Halted:  # while the disk was full: the next attempt ends it from its checkpoint
            leased.store.hand_back(leased.claim, HandBackReason.DRAINED)
    if isinstance(settled.ending, Finished | Pruned | Failed):
        return _look_back(leased.worker)
    return None


def _write_down(leased: LeasedTrial, settled: Settled) -> None:
    store, claim = leased.store, leased.claim
    _show_badges(leased, settled)
    match settled.ending:
        case Finished(value) as ending:
            _keep_files(leased)
            store.tell(claim, "COMPLETE", value, ending.outcome)
        case Pruned(epoch) as ending:
            store.tell(claim, "PRUNED", None, ending.outcome, detail=f"epoch {epoch}")
        case Failed() as ending:
            _write_failure(leased, ending)
        case HandedBack(reason, detail):
            store.hand_back(claim, reason, detail)
        case Lost():
            pass


def _write_failure(leased: LeasedTrial, failed: Failed) -> None:
    claim, outcome = leased.claim, failed.outcome
    log.error("trial %d failed (%s): %s", claim.number, outcome, failed.detail)
    _keep_files(leased, failed.report or failed.detail)
    leased.store.tell(
        claim, optuna_state(outcome), None, outcome, detail=failed.detail, where=failed.where
    )


def _show_badges(leased: LeasedTrial, settled: Settled) -> None:
    """Store a final trial's badges where the dashboard lists them."""
    ending = settled.ending
    if not isinstance(ending, Finished | Pruned | Failed):
        return
    if earned := badges(settled.config, ending.outcome, settled.epochs):
        leased.store.set_attribute(leased.claim, "badges", ", ".join(earned), is_shown=True)


def _keep_files(leased: LeasedTrial, report: str = "") -> None:
    """Keep the attempt's lasting files, and the report of a failure as one of them."""

    def keep() -> None:
        if report:
            (leased.folder / files.TRACEBACK).write_text(report)
        files.keep(leased)

    def stop_waiting() -> None:
        if leased.halt:
            raise Halted

    when_there_is_room(keep, leased.folder, stop_waiting)


def _look_back(worker: Worker) -> Snapshot:
    """Remove the files that ended trials no longer need; raise StudyBroken for broken code."""
    snapshot = worker.retrying_store.snapshot(worker.study.name)
    files.collect(worker, snapshot)
    started_at = [row.started_at for row in snapshot.workers if row.worker == worker.name]
    check_broken(worker.study.name, snapshot.trials, since=started_at[0])
    return snapshot
