"""`search worker`: one worker on this machine, under a supervisor or by itself."""

import json
import logging
import os
import socket
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict
from typing import TypeAlias

from objectives.catalog import limit_gpu_memory
from search.commands.crew import crew
from search.database import open_store
from search.errors import DeviceLost, StudyBroken, UsageError
from search.logs import set_up_logs
from search.processes.devices import DeviceShare, device_shares, own_share
from search.processes.machine import describe_machine, process_scope
from search.processes.signals import StopFlag, listening
from search.report import report
from search.settings import Settings
from search.studies.declare import stored_name
from search.studies.joining import Checked, Joining, Request, examine_here
from search.studies.reopen import has_ended
from search.worker.loop import work
from search.worker.prologue import load_objective, set_up_process
from search.worker.worker import Worker, worker_name
from spaces.exits import AWAY, DONE, DRAINED, WRONG
from spaces.own import code_digest
from storage.errors import ArtifactsRefused, Unreachable
from storage.rows import NewWorker
from storage.store import Store

log = logging.getLogger(__name__)

OpenStore: TypeAlias = Callable[[Settings], AbstractContextManager[Store]]


def worker(arguments: Namespace, settings: Settings, open_store: OpenStore = open_store) -> int:
    """Run trials of a stored study until none is left or the worker is stopped.

    open_store: opens the worker's store.
    """
    request = Request(
        study=stored_name(arguments.study),
        data=arguments.data,
        code=arguments.code,
        is_supervised=bool(arguments.id),
        accepts_versions=arguments.accept_versions,
    )
    share = own_share(settings.visible_gpus, settings.threads)
    if arguments.check:
        with open_store(settings) as store:
            joining = Joining(request=request, settings=settings, store=store)
            return _tell(request.study, list(examine_here(joining, share)), arguments.json)
    if arguments.json:
        raise UsageError("--json prints the checks of this machine", "give --check with it")
    is_crew = arguments.workers or arguments.per_gpu
    if not is_crew:
        set_up_process(share)
    set_up_logs()
    try:
        if is_crew:
            shares = device_shares(arguments.workers, settings.visible_gpus, arguments.per_gpu)
            with open_store(settings) as store:
                return crew(Joining(request=request, settings=settings, store=store), shares)
        with open_store(settings) as store, listening() as flag:
            joining = Joining(request=request, settings=settings, store=store)
            joining.check()
            ours = _joined(joining, arguments, share, flag)
            _register(ours, share, joining.source.manifest.fingerprint)
            return _work(ours) if arguments.id else _work_alone(ours)
    except ArtifactsRefused:
        raise  # another start would end the same way
    except Unreachable as error:
        if not arguments.id and not settings.engine:
            raise
        # The supervisor, or the engine, starts this worker again once what was away is back.
        log.error("%s", error)
        return AWAY if arguments.id else DRAINED


def _joined(joining: Joining, arguments: Namespace, share: DeviceShare, flag: StopFlag) -> Worker:
    return Worker(
        name=arguments.id or worker_name(),
        stored=joining.stored,
        store=joining.store,
        settings=joining.settings,
        data=joining.source,
        device=share.device,
        threads=share.threads,
        gpu=share.label,
        gpu_memory=arguments.gpu_memory or 1.0,
        flag=flag,
        code=joining.code,
        artifact_mark=joining.artifact_mark,
        is_alone=not arguments.id,
    )


def _tell(study: str, checks: Sequence[Checked], as_json: bool) -> int:
    """Print the checks of this machine; return the exit code of the first that does not hold."""
    faults = [each for each in checks if each.exit_code]
    for each in faults:
        report(each.found, each.fix, words=())
    if as_json:
        first = {"error": faults[0].found, "fix": faults[0].fix} if faults else {}
        facts = {"study": study, "host": socket.gethostname(), "ready": not faults}
        print(json.dumps({**facts, **first, "checks": [asdict(each) for each in checks]}, indent=2))
    elif not faults:
        told = "; ".join(f"{each.name}: {each.found}" for each in checks)
        print(f"ready: {told}")
    return faults[0].exit_code if faults else DONE


def _work(worker: Worker) -> int:
    try:
        if not has_ended(worker.store.study(worker.study.name), worker.store):
            load_objective(worker.stored.objective, worker.code)  # seconds, for nothing at the end
            limit_gpu_memory(worker.gpu_memory)
        return work(worker)
    except ArtifactsRefused:
        raise  # for as long as an outage may last: nobody has mended it
    except Unreachable as error:
        # Everything trained so far is in the checkpoint; a restarted worker continues there.
        log.error("%s", error)
        return DRAINED if worker.is_alone else AWAY


def _work_alone(worker: Worker) -> int:
    """Work without a supervisor, which would note the worker's end."""
    try:
        code = _work(worker)
    except (StudyBroken, DeviceLost, ArtifactsRefused) as error:
        _note_end(worker, getattr(error, "exit_code", WRONG), f"{error.found}; {error.fix}")
        raise
    _note_end(worker, code, "")
    return code


def _note_end(worker: Worker, code: int, why: str) -> None:
    with suppress(Unreachable):
        worker.store.worker_ended(worker.name, code, why)


def _register(worker: Worker, share: DeviceShare, data_fingerprint: str) -> None:
    machine = {
        "process_scope": process_scope(),
        "gpu": share.label,
        "code": code_digest(worker.stored.found.own),
        "artifacts": {"location": worker.settings.artifacts, "mark": worker.artifact_mark},
        "data": data_fingerprint,
        "engine": worker.settings.engine,
        **describe_machine(worker.device, worker.stored.found.versions),
    }
    ours = NewWorker(
        name=worker.name,
        host=socket.gethostname(),
        pid=os.getpid(),
        device=worker.device,
        threads=worker.threads,
        machine=machine,
    )
    worker.store.register_worker(worker.study.name, ours)
