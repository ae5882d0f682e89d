"""`search run`: start a study, or go on with one."""

import os
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import replace
from socket import socket

from dashboards.analysis.frame import read_frame
from dashboards.analysis.priors.knowledge import read_knowledge
from dashboards.analysis.priors.words import known
from dashboards.door.port import listen
from dashboards.door.tokens import parse_tokens
from objectives.script.environment import without_secrets
from search.database import has_store, open_store, revive_database
from search.logs import set_up_logs
from search.notify.messenger import messenger
from search.notify.watch import Watch
from search.notify.webhook import read_webhook
from search.planning.kept import excluded_here, room_note
from search.processes.dashboard_keeper import DashboardKeeper, DashboardProgram
from search.processes.dashboard_lock import PATIENCE_SECONDS, find_living
from search.processes.detach import UnderWay, go_silent, start_detached
from search.processes.devices import DeviceShare, device_shares
from search.processes.lock import gpus_held, run_lock
from search.processes.program import child_environment, this_program, worker_words
from search.processes.run import Run
from search.processes.signals import listening
from search.processes.supervisor import supervise
from search.settings import TOKEN_VARIABLE, Settings
from search.studies.create import notes_on, store_study
from search.studies.declare import declare
from search.studies.examine import Examination, examine
from search.studies.overrides import read_overrides
from search.studies.prepare import Prepared
from search.studies.reopen import has_ended
from search.studies.rules import check_rules
from search.studies.shared_folder import check_shared
from search.terminal.progress import watching
from search.terminal.stages import Stages
from search.terminal.summary import Page, summary
from spaces.exits import DONE
from storage.errors import DatabaseUnreachable
from storage.locks import wait_until
from storage.store import Store


def run(
    arguments: Namespace, settings: Settings, worker_program: Sequence[str] | None = None
) -> int:
    """Check the study, store it, and keep its workers running to the end.

    worker_program: the words before `worker` in the command of a worker; None for this program.
    """
    if arguments.detach and arguments.ready_fd is None:
        return _detach(arguments.words)
    read_webhook(settings)
    if settings.dashboard_token:  # its dashboard would fail on them where nobody looks
        parse_tokens(settings.dashboard_token, TOKEN_VARIABLE)
    with _wanted_port(arguments, settings) as listener:
        return _run_with(listener, arguments, settings, worker_program or this_program())


def _wanted_port(arguments: Namespace, settings: Settings) -> AbstractContextManager[socket | None]:
    """Open the port of --port, so that one that cannot be had is refused before anything else."""
    if arguments.no_dashboard or arguments.port is None or find_living(settings):
        return nullcontext()
    return listen(arguments.port)


def _run_with(
    listener: socket | None,
    arguments: Namespace,
    settings: Settings,
    worker_program: Sequence[str],
) -> int:
    overrides = read_overrides(arguments)
    declared = declare(overrides, settings)
    examination = Examination(
        declared=declared,
        rules=check_rules(declared.stored),
        overrides=overrides,
        settings=settings,
    )
    name = declared.study.name
    # If no database exists yet, check the data before creating one, so that a refused run leaves
    # nothing on disk.
    prepared = None
    if not has_store(settings):
        prepared = _examined(examination)
        check_shared(settings)
    with open_store(settings) as store, run_lock(name, settings.study_folder(name)) as beside:
        check_shared(settings, store, name)
        prepared = prepared or _examined(examination, store)
        shares = device_shares(arguments.workers or None, settings.visible_gpus, arguments.per_gpu)
        too_large = excluded_here(prepared.stored, shares[0], settings)
        row = store_study(prepared, overrides, settings, store, too_large=too_large)
        room = room_note(prepared.stored, shares[0], settings)
        _print_notes(filter(None, [*notes_on(row, prepared.study), room]))
        if arguments.workers == 0:
            store.clear_stop(name)
            print(f"{name} is stored; its workers start with `search worker --study {name}`")
            return DONE
        set_up_logs(settings.logs / name / f"{beside}run.log")
        # The dashboard of a study that has ended would be gone before anybody has looked.
        starts_none = arguments.no_dashboard or has_ended(row, store)
        program = None if starts_none else _program(name, settings, beside)
        with (
            gpus_held(name, settings.study_folder(name), shares),
            closing(DashboardKeeper(settings, program, listener)) as keeper,
            _watching_events(settings) as watch,
        ):
            store.clear_stop(name)
            run = _run(
                prepared,
                settings,
                store,
                dashboard=keeper,
                shares=shares,
                worker_program=worker_program,
            )
            run = replace(run, watch=watch, log_prefix=beside)
            _find_page(run, arguments)
            return _supervise(run)


def _examined(examination: Examination, store: Store | None = None) -> Prepared:
    with Stages() as progress:
        examined = examine(replace(examination, progress=progress), store)
    prepared = examined.accepted()
    _print_notes(examined.notes())
    return prepared


def _print_notes(notes: Iterable[str]) -> None:
    for note in notes:
        print(f"search: {note}", file=sys.stderr)


def _find_page(run: Run, arguments: Namespace) -> None:
    """Find or open the dashboard's port, and tell its address to a detaching command."""
    keeper, port = run.dashboard, arguments.port
    wait_until(keeper.look, PATIENCE_SECONDS)
    if keeper.living and port is not None and keeper.living.port != port:
        _print_notes([f"the dashboard of this home has another port already, not {port}"])
    if arguments.ready_fd is not None:
        url, log = keeper.page(run.study), str(run.logs / f"{run.log_prefix}detached.log")
        go_silent(arguments.ready_fd, UnderWay(study=run.study, pid=os.getpid(), url=url, log=log))


def _supervise(run: Run) -> int:
    keeper = run.dashboard
    with listening() as flag, watching(lambda: keeper.page(run.study)) as show:
        ending = supervise(run, flag, show)
    url = keeper.page(run.study)
    keeper.close()
    # The run has ended: no lost database, closed pipe or full disk may change its exit code.
    with suppress(DatabaseUnreachable, OSError):
        frame, crew = read_frame(run.store, run.study), len(run.shares)
        page = Page(url, is_served=bool(keeper.living))
        knowledge = read_knowledge(run.store, frame.snapshot)
        for line in summary(frame, crew, page, known(knowledge)):
            print(line, flush=True)
    if ending.trouble:
        print(ending.trouble, file=sys.stderr)
    return ending.exit_code


def _detach(words: Sequence[str]) -> int:
    started = start_detached([*this_program(), *words], without_secrets(os.environ))
    if isinstance(started, int):
        return started
    name = started.study
    print(f"{name} goes on without this terminal, as process {started.pid}")
    print(f"dashboard: {started.url}" if started.url else "no dashboard")
    print(f"look: search status --study {name}   stop: search stop --study {name}")
    print(f"log:  {started.log}")
    return DONE


def _run(
    prepared: Prepared,
    settings: Settings,
    store: Store,
    dashboard: DashboardKeeper,
    shares: Sequence[DeviceShare],
    worker_program: Sequence[str],
) -> Run:
    name = prepared.study.name
    return Run(
        study=name,
        shares=shares,
        store=store,
        worker_command=lambda share, worker: [
            *worker_program,
            *worker_words(name, worker, share, data=prepared.source.folder),
        ],
        environment=child_environment(settings),
        logs=settings.logs / name,
        cache=settings.cache,
        lease_seconds=settings.lease_seconds,
        dashboard=dashboard,
        revive_database=lambda: revive_database(settings),
    )


def _program(name: str, settings: Settings, beside: str) -> DashboardProgram:
    return DashboardProgram(
        command=[*this_program(), "dashboard"],
        environment=child_environment(settings),
        log=settings.logs / name / f"{beside}dashboard.log",
    )


@contextmanager
def _watching_events(settings: Settings) -> Iterator[Watch]:
    """Yield a watch that sends the study's events to the webhook, if one is set."""
    webhook = read_webhook(settings)
    if webhook is None:
        yield Watch()
        return
    with messenger(webhook, settings.study_folder) as ours:
        yield Watch(ours.tell)
