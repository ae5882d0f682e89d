"""`search worker --workers N`: several workers of a stored study on this machine, kept running."""

import logging
import sys
from collections.abc import Sequence
from functools import partial

from dashboards.analysis.snapshot import Snapshot
from search.database import revive_database
from search.planning.kept import room_note
from search.processes.dashboard_keeper import DashboardKeeper
from search.processes.devices import DeviceShare
from search.processes.lock import crew_number, gpus_held
from search.processes.program import child_environment, this_program, worker_words
from search.processes.run import Ending, Run
from search.processes.signals import listening
from search.processes.supervisor import supervise
from search.studies.joining import Joining
from search.studies.reopen import has_ended
from search.studies.versions import accept_here
from spaces.exits import DONE, FAILED

log = logging.getLogger(__name__)


def crew(joining: Joining, shares: Sequence[DeviceShare]) -> int:
    """Keep workers of a stored study running until no trial is left or they are stopped.

    They have a supervisor as those of `search run` have, and neither a dashboard nor messages.

    shares: the device of each worker.
    """
    name = joining.request.study
    if has_ended(joining.row, joining.store):
        log.info("every trial of %s has ended; for more: `search run --trials N`", name)
        return DONE
    joining.check()
    if joining.request.accepts_versions:
        accept_here(joining.stored, joining.store)
    if room := room_note(joining.stored, shares[0], joining.settings):
        log.warning(room)
    folder = joining.settings.study_folder(name)
    with gpus_held(name, folder, shares), crew_number(folder) as number:
        return _supervise(_run(number, joining, shares))


def _supervise(run: Run) -> int:
    told = [""]

    def show(snapshot: Snapshot) -> None:
        if snapshot.note not in ("", told[-1]):
            log.info(snapshot.note)
        told.append(snapshot.note)

    with listening() as flag:
        ending = supervise(run, flag, show)
    if ending.trouble:
        print(ending.trouble, file=sys.stderr)
    # A crew is done where nothing is left, whatever became of the trials: another start would find
    # nothing either.
    return DONE if ending == Ending(FAILED) else ending.exit_code


def _run(number: int, joining: Joining, shares: Sequence[DeviceShare]) -> Run:
    name, settings = joining.request.study, joining.settings
    words = partial(worker_words, name, data=joining.source.folder, code=joining.code)
    logs, prefix = settings.logs / name, f"crew-{number}-"
    logs.mkdir(parents=True, exist_ok=True)
    log.info("%d workers of %s; logs: %s", len(shares), name, logs / f"{prefix}worker-*.log")
    return Run(
        study=name,
        shares=shares,
        store=joining.store,
        worker_command=lambda share, worker: [*this_program(), *words(worker, share)],
        environment=child_environment(settings),
        logs=logs,
        cache=settings.cache,
        lease_seconds=settings.lease_seconds,
        dashboard=DashboardKeeper(settings, None),
        log_prefix=prefix,
        revive_database=lambda: revive_database(settings),
    )
