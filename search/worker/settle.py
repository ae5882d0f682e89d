"""Write down the end of an attempt: its files first, then the database, old files last."""

import logging
from dataclasses import replace

from dashboards.analysis.badges import badges, one_line
from objectives.files.disk import when_there_is_room
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
from storage.errors import LeaseLost
from storage.rows import HandBackReason, TrialEnd

log = logging.getLogger(__name__)


def settle(leased: LeasedTrial, settled: Settled) -> set[int] | None:
    """Write an attempt's ending down; if it ended the trial, return the best trials' numbers.

    The best are those that keep their weights.

    Raises StudyBroken when it is the last of several trials that ended by the same error.
    """
    log.info("trial %d: %s", leased.claim.number, settled.ending)
    with leased.noticing_loss():
        try:
            _write_down(leased, settled)
        except Halted:  # while the disk was full: the next attempt ends it from its checkpoint
            leased.store.hand_back(leased.claim, HandBackReason.DRAINED)
    if isinstance(settled.ending, Finished | Pruned | Failed):
        return _look_back(leased.worker, settled.ending)
    return None


def _write_down(leased: LeasedTrial, settled: Settled) -> None:
    match settled.ending:
        case Finished(value) as ending:
            end = TrialEnd(state="COMPLETE", value=value, outcome=ending.outcome)
            if not leased.worker.is_deterministic and settled.epochs:
                end = replace(end, last_epoch=settled.epochs[-1].epoch)
            _tell(leased, settled, replace(end, links=_keep_files(leased)))
        case Pruned(why=why) as ending:
            end = TrialEnd(state="PRUNED", value=None, outcome=ending.outcome, detail=why)
            _tell(leased, settled, end)
        case Failed() as ending:
            log.error(
                "trial %d failed (%s): %s", leased.claim.number, ending.outcome, ending.detail
            )
            links = _keep_files(leased, ending.report or ending.detail)
            _tell(leased, settled, replace(_failure(ending), links=links))
        case HandedBack(reason, detail):
            leased.store.hand_back(leased.claim, reason, detail)
        case Lost():
            pass


def _failure(failed: Failed) -> TrialEnd:
    return TrialEnd(
        state=optuna_state(failed.outcome),
        value=None,
        outcome=failed.outcome,
        detail=failed.detail,
        where=failed.where,
    )


def _tell(leased: LeasedTrial, settled: Settled, end: TrialEnd) -> None:
    """End the trial with its badges, which the dashboard lists; a refused end leaves no files."""
    earned = badges(settled.config, end.outcome, settled.epochs)
    shown = {"badges": one_line(earned)} if earned else {}
    try:
        leased.store.tell(leased.claim, replace(end, shown=shown))
    except LeaseLost:
        leased.store.unlink_files(leased.worker.kept, end.links)
        raise


def _keep_files(leased: LeasedTrial, report: str = "") -> dict[str, str]:
    """Keep the attempt's lasting files, and the report of a failure as one; return their links."""
    links: dict[str, str] = {}

    def keep() -> None:
        if report:
            leased.folder.mkdir(parents=True, exist_ok=True)  # not there for a trial without values
            (leased.folder / files.TRACEBACK).write_text(report)
        links.update(files.keep(leased))

    def stop_waiting() -> None:
        if leased.halt:
            raise Halted

    with leased:  # a store that is away is waited for, for longer than a lease
        when_there_is_room(keep, leased.folder, stop_waiting)
    return links


def _look_back(worker: Worker, ending: Finished | Pruned | Failed) -> set[int]:
    """Remove the files that ended trials no longer need; raise StudyBroken for broken code."""
    trials = worker.retrying_store.arrays(worker.study.name)
    kept = set(trials.best(worker.study.keep))
    files.collect(worker, trials, kept)
    if isinstance(ending, Failed):
        check_broken(worker, ending)
    return kept
