"""A worker: one process that owns one device and follows trial after trial."""

import logging
import os
import random
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import optuna

from objectives import catalog
from objectives.contract import Attempt, DataSource, Objective
from objectives.files import checkpoints
from objectives.files.disk import when_there_is_room
from search.analysis.badges import badges
from search.analysis.snapshot import read_snapshot
from search.errors import DONE, DRAINED, KILLED
from search.processes.signals import StopFlag
from search.pruners.curve import Curve
from search.samplers.choose import sampler_for
from search.seeds import training_seed
from search.settings import Settings
from search.worker import files
from search.worker.beat import Beat
from search.worker.breaker import check_broken
from search.worker.endings import (
    Ending,
    Failed,
    Finished,
    HandedBack,
    Lost,
    Pruned,
    optuna_state,
)
from search.worker.retries import Patience
from search.worker.sharing import Uploads, bring_checkpoint
from search.worker.trial import Trial, completed_curves, run_trial
from search.worker.uploads import Weights
from spaces.space import TrialConfig
from spaces.stored import StoredStudy
from spaces.study import Study
from storage.errors import LeaseLost
from storage.rows import HandBackReason, Outcome
from storage.store import Claim, Nothing, Store

log = logging.getLogger(__name__)


class StoppedAtOnce(BaseException):
    """Somebody cannot wait for the epoch to end; the next attempt begins at the last checkpoint."""


@dataclass(frozen=True)
class Worker:
    """Who works, on what and where: one process, one device, one study.

    threads: this worker's share of the cores. flag: what was asked of this process.
    """

    name: str
    stored: StoredStudy
    store: Store
    settings: Settings
    data: DataSource
    device: str
    threads: int
    flag: StopFlag

    @property
    def study(self) -> Study:
        """The study as its author wrote it."""
        return self.stored.study

    @property
    def patiently(self) -> Patience:
        """Call the database until it answers, or until this process is told to stop."""
        return Patience(lambda: self.flag.draining, self.study.outage_minutes)


def worker_name() -> str:
    """Give a name that no other worker has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def work(worker: Worker) -> int:
    """Follow trials until the budget is reached or somebody asks to stop; give the exit code.

    Raises StudyBroken when trial after trial ends by the same error, Unreachable when the
    database or the artifact store stays away.
    """
    with _sending_weights(worker) as look:
        return _follow(worker, look)


def _follow(worker: Worker, look_for_weights: Callable[[], None]) -> int:
    name = worker.study.name
    while not worker.flag.draining:
        claim = worker.patiently(
            lambda: worker.store.claim(
                name, worker.name, lease_seconds=worker.settings.lease_seconds
            )
        )
        match claim:
            case Claim():
                outcome = attempt_trial(worker, claim)
                settle(worker, claim, outcome)
                look_for_weights()
                if isinstance(outcome, HandedBack) and outcome.reason == HandBackReason.CUDA_ERROR:
                    return DRAINED  # this process is of no more use; the next one starts clean
            case Nothing.WAIT:
                # Another worker's trial may still come back; jitter keeps workers apart.
                time.sleep(random.uniform(0.5, 2.0))
            case Nothing.DONE:
                log.info("every trial of %s has ended; for more: `search run --trials N`", name)
                return DONE
            case Nothing.STOPPED:
                log.info("%s was stopped; `search run --study %s` goes on with it", name, name)
                return DRAINED
    return KILLED if worker.flag.now else DRAINED


def attempt_trial(worker: Worker, claim: Claim) -> Ending:
    """Draw the claimed trial's values (or read them back) and train it from its last checkpoint."""
    log.info("trial %d, attempt %d", claim.number, claim.attempt)
    study, store, patiently = worker.study, worker.store, worker.patiently
    sampler = sampler_for(study, claim.number)
    learned = patiently(lambda: store.optuna_study(study.name, sampler=sampler))
    try:
        config = worker.stored.config(patiently(lambda: _draw(worker, claim, learned)))
    except LeaseLost:
        return Lost()

    known: dict[int, Curve] = {}

    def completed() -> list[Curve]:
        return completed_curves(worker.stored, learned.get_trials(deepcopy=False), known)

    trial = Trial(study, claim, store, config, completed, patiently)
    objective = catalog.load(study.objective)
    catalog.freeze_loaded()
    with (
        Beat(store, claim, worker.settings.beat_seconds, study.stall_minutes) as beat,
        _sharing(worker, claim, objective) as (shared_objective, finish),
    ):
        try:
            attempt = _attempt(worker, trial, beat)
            outcome = run_trial(trial, shared_objective, attempt, lambda: worker.flag.draining)
            if isinstance(outcome, HandedBack):
                finish()
            return outcome
        except StoppedAtOnce:
            return HandedBack(HandBackReason.STOPPED_AT_ONCE)
        except LeaseLost:
            return Lost()


def settle(worker: Worker, claim: Claim, outcome: Ending) -> None:
    """Write a trial's outcome down: its files first, then the database, old files last."""
    log.info("trial %d: %s", claim.number, outcome)
    try:
        _write_down(worker, claim, outcome)
    except StoppedAtOnce:  # while the disk was full: the next attempt ends it from its checkpoint
        worker.patiently(lambda: worker.store.hand_back(claim, HandBackReason.DRAINED))
    except LeaseLost:
        log.warning("trial %d belongs to somebody else now", claim.number)
    if isinstance(outcome, Finished | Pruned | Failed):
        _look_back(worker)


def _write_down(worker: Worker, claim: Claim, outcome: Ending) -> None:
    store, patiently = worker.store, worker.patiently
    patiently(lambda: _show_badges(worker, claim, outcome))
    match outcome:
        case Finished(value):
            _keep_files(worker, claim)
            patiently(lambda: store.tell(claim, "COMPLETE", value, Outcome.FINISHED))
        case Pruned(epoch):
            patiently(
                lambda: store.tell(claim, "PRUNED", None, Outcome.PRUNED, detail=f"epoch {epoch}")
            )
        case Failed(outcome=kind, detail=detail, report=report, where=where):
            log.error("trial %d failed (%s): %s", claim.number, kind, detail)
            _keep_files(worker, claim, {"traceback.txt": report or detail})
            patiently(
                lambda: store.tell(
                    claim, optuna_state(kind), None, kind, detail=detail, where=where
                )
            )
        case HandedBack(reason, detail):
            patiently(lambda: store.hand_back(claim, reason, detail))
        case Lost():
            pass


def _show_badges(worker: Worker, claim: Claim, outcome: Ending) -> None:
    """Note a final trial's badges where the dashboard lists them."""
    match outcome:
        case Finished():
            name = Outcome.FINISHED
        case Pruned():
            name = Outcome.PRUNED
        case Failed(outcome=failed):
            name = failed
        case _:
            return
    drawn = worker.store.optuna_storage.get_trial(claim.trial_id).params
    epochs = worker.store.epochs(claim.study, claim.number)
    if earned := badges(worker.stored.config(drawn), name, epochs):
        worker.store.set_attribute(claim, "badges", ", ".join(earned), is_shown=True)


def _keep_files(worker: Worker, claim: Claim, texts: Mapping[str, str] | None = None) -> None:
    """Keep what the attempt leaves for good, and these texts by their file names."""
    folder = _folder(worker, claim)

    def keep() -> None:
        for name, text in (texts or {}).items():
            (folder / name).write_text(text)
        worker.patiently(lambda: files.keep(worker.settings, worker.store, claim, folder))

    def stop_waiting() -> None:
        if worker.flag.draining:
            raise StoppedAtOnce

    when_there_is_room(keep, folder, stop_waiting)


def _look_back(worker: Worker) -> None:
    """Remove what ended trials leave behind; raises StudyBroken when the code is what fails."""
    snapshot = worker.patiently(lambda: read_snapshot(worker.store, worker.study.name))
    worker.patiently(lambda: files.collect(worker.settings, worker.store, snapshot))
    started_at = [row.started_at for row in snapshot.workers if row.worker == worker.name]
    check_broken(worker.study.name, snapshot.trials, since=started_at[0])


def _draw(worker: Worker, claim: Claim, learned: optuna.Study) -> TrialConfig:
    with worker.store.trial(claim, learned) as trial:
        return worker.study.space.suggest(trial)


@contextmanager
def _sending_weights(worker: Worker) -> Iterator[Callable[[], None]]:
    """Yield what has the best trials' weights sent where machines share; its end waits for them."""
    if worker.settings.shared_artifacts is None:
        yield lambda: None
        return
    flag, patiently = worker.flag, worker.patiently
    with Weights(
        worker.store, worker.settings, worker.study.name, patiently, lambda: flag.now
    ) as weights:
        yield weights.look


@contextmanager
def _sharing(
    worker: Worker, claim: Claim, objective: Objective
) -> Iterator[tuple[Objective, Callable[[], None]]]:
    """Yield the objective, its checkpoints shared where machines share, and what waits for that."""
    location = worker.settings.shared_artifacts
    if location is None:
        yield objective, lambda: None
        return
    with worker.patiently(lambda: Uploads(worker.store, location, claim)) as uploads:
        yield uploads.following(objective), uploads.finish


def _attempt(worker: Worker, trial: Trial, beat: Beat) -> Attempt:
    claim, folder = trial.claim, _folder(worker, trial.claim)

    def progress() -> None:
        beat.progress()
        if worker.flag.now or beat.stop == "now":
            raise StoppedAtOnce
        trial.outbox.flush()  # an epoch may take long after the database is back

    when_there_is_room(lambda: folder.mkdir(parents=True, exist_ok=True), folder, progress)
    earlier = (folder.with_name(f"attempt-{attempt}") for attempt in range(1, claim.attempt + 1))
    resume_from = checkpoints.newest_good(earlier)
    if shared := worker.settings.shared_artifacts:
        bring = partial(bring_checkpoint, worker.store, shared, claim, folder, resume_from)
        resume_from = worker.patiently(lambda: bring(progress))
    return Attempt(
        folder=folder,
        data=worker.data,
        seed=training_seed(worker.study.seed, claim.number),
        resume_from=resume_from,
        device=worker.device,
        threads=worker.threads,
        cache=worker.settings.cache,
        progress=progress,
    )


def _folder(worker: Worker, claim: Claim) -> Path:
    trial = worker.settings.trial_folder(worker.study.name, claim.number)
    return trial / f"attempt-{claim.attempt}"
