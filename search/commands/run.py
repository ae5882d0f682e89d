"""`search run`: start a study, or go on with it."""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from socket import socket

from dashboards.door.port import address, listen
from search.analysis.frame import read_frame
from search.database import has_store, open_store
from search.errors import DONE
from search.logs import set_up_logs
from search.planning.costs import excluded_here
from search.processes.detach import UnderWay, go_silent, start_detached
from search.processes.devices import DeviceShare, device_shares
from search.processes.lock import run_lock
from search.processes.signals import listening
from search.processes.supervisor import Run, supervise
from search.settings import Settings
from search.studies.create import store_study
from search.studies.declare import Declared, declare
from search.studies.examine import Prepared, check_data, refuse_errors, skipped_in, summary_lines
from search.studies.mismatch import check_same_data
from search.studies.networks import licence_notes
from search.studies.overrides import Overrides, read_overrides
from search.studies.reopen import as_it_began, find
from search.studies.rules import check_fit, check_rules
from search.studies.splits import split_note
from search.terminal.progress import watching
from search.terminal.summary import summary
from spaces.rules.finding import Finding
from spaces.stored import StoredStudy, from_json
from spaces.study import Study
from storage.artifacts import check_reachable
from storage.errors import DatabaseUnreachable
from storage.postgres import server
from storage.store import Store


def run(
    arguments: Namespace, settings: Settings, worker_program: Sequence[str] | None = None
) -> int:
    """Check the study, store it, and keep its workers running to the end.

    worker_program: the words before `worker` in the command of a worker; None for this program.
    """
    if arguments.detach and arguments.ready_fd is None:
        return _detach(arguments.words)
    # Open to the end, so that the port stays ours before and between the dashboard's starts.
    with nullcontext() if arguments.no_dashboard else listen(arguments.port) as listener:
        return _run_with(listener, arguments, settings, worker_program or _this_program())


def _run_with(
    listener: socket | None,
    arguments: Namespace,
    settings: Settings,
    worker_program: Sequence[str],
) -> int:
    overrides = read_overrides(arguments)
    declared = declare(overrides, settings)
    name, findings = declared.study.name, check_rules(declared.stored)
    # Where no study can be stored yet, the data are looked at first: a refusal leaves no home.
    prepared = None if has_store(settings) else _checked(declared, findings, overrides, settings)
    if settings.shared_artifacts:
        check_reachable(settings.shared_artifacts)
    with open_store(settings) as store, run_lock(name, settings.study_folder(name)):
        prepared = prepared or _checked(declared, findings, overrides, settings, store)
        shares = device_shares(arguments.workers, settings.visible_gpus)
        too_large = excluded_here(prepared.stored, shares[0].device, len(shares), settings)
        stored = from_json(store_study(prepared, overrides, settings, store, too_large).definition)
        for note in licence_notes(stored.found.weights):
            print(f"search: {note}", file=sys.stderr)
        _tell_what_is_left_out(stored)
        _tell_of_other_total(stored.study, prepared.study)
        store.clear_stop(name)
        set_up_logs(settings.logs / name / "run.log")
        run = _run(prepared, settings, store, listener, shares, worker_program)
        url = address(listener) if listener else ""
        if arguments.ready_fd is not None:
            log = str(run.logs / "detached.log")
            go_silent(arguments.ready_fd, UnderWay(study=name, pid=os.getpid(), url=url, log=log))
        return _supervise(run, url)


def _checked(
    declared: Declared,
    findings: Sequence[Finding],
    overrides: Overrides,
    settings: Settings,
    store: Store | None = None,
) -> Prepared:
    """Read and check the data, refuse their errors, and say in a few lines what is to be known."""
    known = find(store, declared.study.name) if store else None
    if known:
        as_it_began(known, declared.stored, overrides)
    skipped = skipped_in(declared.stored, known)
    checked = check_data(declared, findings, settings, store)
    if store and known:  # other data first of all: what is wrong with them is no question then
        check_same_data(known, checked.prepared.manifest, declared.folder, store)
    refuse_errors(checked, skipped)
    check_fit(declared.stored, checked.prepared.summary)
    rules = [f"{finding.message} ({finding.rule})" for finding in findings]
    note = split_note(checked.prepared.source.partition, settings, declared.study.name)
    for line in (*rules, note, *summary_lines(checked, skipped)):
        if line:
            print(f"search: {line}", file=sys.stderr)
    return checked.prepared


def _supervise(run: Run, url: str) -> int:
    with listening() as flag, watching(url) as show:
        ending = supervise(run, flag, show)
    # Neither a database that is away nor a reader that has gone changes how the run ended.
    with suppress(DatabaseUnreachable, BrokenPipeError):
        for line in summary(read_frame(run.store, run.study), len(run.shares)):
            print(line, flush=True)
    if ending.trouble:
        print(ending.trouble, file=sys.stderr)
    return ending.exit_code


def _detach(words: Sequence[str]) -> int:
    started = start_detached([*_this_program(), *words])
    if isinstance(started, int):
        return started
    name = started.study
    print(f"{name} goes on without this terminal, as process {started.pid}")
    print(f"dashboard: {started.url}" if started.url else "no dashboard")
    print(f"look: search status --study {name}   stop: search stop --study {name}")
    print(f"log:  {started.log}")
    return DONE


def _tell_of_other_total(stored: Study, declared: Study) -> None:
    if stored.trials != declared.trials:
        print(
            f"search: {stored.name} goes on to {stored.trials} trials, its file says"
            f" {declared.trials}; --trials {declared.trials} changes the total",
            file=sys.stderr,
        )


def _tell_what_is_left_out(stored: StoredStudy) -> None:
    if stored.found.too_large:
        names = ", ".join(map(str, stored.found.too_large))
        print(
            f"search: {stored.study.name} leaves out {names}: not one image fits into the memory"
            " that was planned with",
            file=sys.stderr,
        )


def _run(
    prepared: Prepared,
    settings: Settings,
    store: Store,
    listener: socket | None,
    shares: Sequence[DeviceShare],
    worker_program: Sequence[str],
) -> Run:
    name = prepared.study.name
    fds = [listener.fileno()] if listener else []
    return Run(
        study=name,
        shares=shares,
        store=store,
        worker_command=lambda _, worker: [
            *worker_program,
            *_worker_words(name, worker, prepared.source.folder),
        ],
        environment={**os.environ, "SEARCH_HOME": str(settings.home)},
        logs=settings.logs / name,
        cache=settings.cache,
        lease_seconds=settings.lease_seconds,
        dashboard_command=[*_this_program(), "dashboard", "--fd", *map(str, fds)] if fds else None,
        dashboard_fds=fds,
        revive_database=lambda: _revive(settings),
    )


def _worker_words(study: str, worker: str, data: Path | None) -> list[str]:
    place = ["--data", str(data)] if data else []
    return ["worker", "--study", study, "--id", worker, *place]


def _this_program() -> list[str]:
    # -P: a folder named `search` where the user stands must not be taken for this package.
    return [sys.executable, "-P", "-m", "search.cli"]


def _revive(settings: Settings) -> bool:
    """Start the embedded database again; False when it was stopped on purpose."""
    return settings.database_url is not None or server.ensure_running(settings.home)
