"""An attempt at a trial: its values are drawn or read back, then it is trained to an ending."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from dashboards.analysis.curves.completed import CompletedCurves, completed_curves
from dashboards.analysis.distributions import distributions
from objectives import catalog
from objectives.contract import Attempt, Objective
from objectives.files import checkpoints
from objectives.files.disk import when_there_is_room
from objectives.own.left import newest_left
from search.pruners.others import Others
from search.samplers.choose import sampler_for
from search.seeds import training_seed
from search.worker.endings import Ending, Failed, HandedBack, Lost, Settled, failure
from search.worker.leased_trial import Halted, LeasedTrial
from search.worker.lost import or_lost
from search.worker.sharing import CheckpointUploads, bring_checkpoint
from search.worker.trial import Trial, run_trial
from spaces.space import TrialConfig
from storage.errors import StorageError

log = logging.getLogger(__name__)


def attempt_trial(leased: LeasedTrial) -> Settled:
    """Draw the trial's values (or read them back) and train it from its last checkpoint."""
    log.info("trial %d, attempt %d", leased.claim.number, leased.claim.attempt)
    try:
        config = _draw(leased)
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 - a sampler's numerics may raise anything
        return Settled(_undrawn(leased, error))
    if config is None:
        return Settled(Lost())
    trial = Trial(leased=leased, config=config, others=others_of(leased))
    ending = _train(trial)
    return Settled(ending, config, trial.epochs)


def others_of(leased: LeasedTrial) -> Others:
    """Return the questions that the study's pruning rule may ask about the other trials."""
    worker = leased.worker
    declared = distributions(worker.study.space)

    def completed() -> CompletedCurves:
        return completed_curves(worker.stored, declared, worker.store.arrays(worker.study.name))

    return Others(completed=completed, note=leased.note_rung)


def _draw(leased: LeasedTrial) -> TrialConfig | None:
    """Return the trial's configuration, None if it is lost.

    Raises ValueError or RecipeError for values that no trial can have, whatever a sampler raises.
    """
    worker = leased.worker
    choose = partial(sampler_for, worker.study, leased.claim.number)
    with leased.noticing_loss():
        drawn = leased.store.draw(leased.claim, choose, worker.study.space.suggest)
        config = worker.stored.config(drawn)
        catalog.check(worker.stored.objective, config)
        return config
    return None


def _undrawn(leased: LeasedTrial, error: Exception) -> Ending:
    """Return the failure of a trial without values; those that a person queued break no study."""
    ending, queued = failure(error), leased.store.queued_values(leased.claim)
    if isinstance(ending, Failed) and queued:
        values = ", ".join(f"{name} {value!r}" for name, value in queued.items())
        detail = f"queued with values that cannot be used ({error}): {values}"
        return replace(ending, detail=" ".join(detail.split())[:500], where=None)
    return ending


def _train(trial: Trial) -> Ending:
    leased = trial.leased
    objective = leased.worker.objective
    with leased, _sharing_checkpoints(leased, objective) as (sharing, finish):
        try:
            ending = or_lost(run_trial(trial, sharing, _open_attempt(leased)), leased.worker)
        except Halted:
            return leased.ending_in_epoch
        if isinstance(ending, HandedBack):
            finish()
        return ending


@contextmanager
def _sharing_checkpoints(
    leased: LeasedTrial, objective: Objective
) -> Iterator[tuple[Objective, Callable[[], None]]]:
    """Yield the objective with its checkpoints shared, and a function that waits for the last.

    Without SEARCH_ARTIFACTS nothing is shared.
    """
    worker = leased.worker
    if worker.settings.shared_artifacts is None:
        yield objective, lambda: None
        return
    with CheckpointUploads(worker, leased.claim) as uploads:
        yield uploads.following(objective), uploads.finish


def _open_attempt(leased: LeasedTrial) -> Attempt:
    """Make the attempt's folder and find the checkpoint to continue from."""
    worker, folder = leased.worker, leased.folder
    make_folder = partial(folder.mkdir, parents=True, exist_ok=True)
    when_there_is_room(make_folder, folder, leased.progress)
    before = _folders_before(leased)
    return Attempt(
        folder=folder,
        data=worker.data,
        seed=training_seed(worker.study.seed, leased.claim.number),
        resume_from=_resume_from(leased, before),
        earlier=tuple(before),
        device=worker.device,
        threads=worker.threads,
        cache=worker.settings.cache,
        progress=leased.progress,
        check=leased.check,
    )


def _resume_from(leased: LeasedTrial, before: Sequence[Path]) -> Path | None:
    """Return the checkpoint to continue from; for the author's own code the folder of its files."""
    if not leased.worker.stored.found.own:
        return _newest_checkpoint(leased, before)
    if left := newest_left(before):
        return left
    is_shared = leased.worker.settings.shared_artifacts is not None
    shared = bring_checkpoint(leased, None) if is_shared else None
    return shared and shared.parent


def _newest_checkpoint(leased: LeasedTrial, before: Sequence[Path]) -> Path | None:
    here = checkpoints.newest_good(before)
    is_shared = leased.worker.settings.shared_artifacts is not None
    return bring_checkpoint(leased, here) if is_shared else here


def _folders_before(leased: LeasedTrial) -> list[Path]:
    """List the folders of the trial's earlier attempts, whether or not they are on this machine."""
    study, claim = leased.worker.study.name, leased.claim
    if claim.attempt == 1:
        return []
    folder_of = leased.worker.settings.attempt_folder
    return [
        folder_of(study, claim.number, earlier.attempt, earlier.worker)
        for earlier in leased.store.attempts(study, claim.number)
        if earlier.attempt < claim.attempt
    ]
