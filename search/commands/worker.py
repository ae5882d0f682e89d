"""`search worker`: one worker on this machine, under a supervisor or by itself."""

import logging
import os
import socket
from argparse import Namespace
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import TypeAlias

from search.database import open_store
from search.logs import set_up_logs
from search.processes.devices import DeviceShare, own_share
from search.processes.machine import describe_machine, process_scope
from search.processes.signals import listening
from search.settings import Settings
from search.studies.code import code_here
from search.studies.declare import stored_name
from search.studies.networks import check_networks_here
from search.studies.reopen import has_ended, open_study
from search.worker.loop import work
from search.worker.prologue import load_objective, set_up_process
from search.worker.worker import Worker, worker_name
from spaces.exits import DRAINED
from spaces.own import code_digest
from storage.artifacts import check_reachable
from storage.errors import Unreachable
from storage.rows import NewWorker
from storage.store import Store

log = logging.getLogger(__name__)

OpenStore: TypeAlias = Callable[[Settings], AbstractContextManager[Store]]


def worker(arguments: Namespace, settings: Settings, open_store: OpenStore = open_store) -> int:
    """Run trials of a stored study until none is left or the worker is stopped.

    open_store: opens the worker's store.
    """
    name = stored_name(arguments.study)
    share = own_share(settings.visible_gpus, settings.threads)
    set_up_process(share)
    set_up_logs()
    if settings.shared_artifacts and not arguments.id:
        check_reachable(settings.shared_artifacts)
    try:
        with open_store(settings) as store, listening() as flag:
            stored, source = open_study(name, arguments.data, settings, store)
            if not arguments.id:  # the supervising `search run` has checked them
                check_networks_here(stored)
            code = code_here(stored, settings, arguments.code)
            ours = Worker(
                name=arguments.id or worker_name(),
                stored=stored,
                store=store,
                settings=settings,
                data=source,
                device=share.device,
                threads=share.threads,
                flag=flag,
                code=code,
            )
            _register(ours, share)
            return _work(ours) if arguments.id else _work_alone(ours)
    except Unreachable as error:
        if not arguments.id:
            raise
        # The supervisor starts this worker again once the database is back.
        log.error("%s", error)
        return DRAINED


def _work(worker: Worker) -> int:
    try:
        if not has_ended(worker.store.study(worker.study.name), worker.store):
            load_objective(worker.stored.objective, worker.code)  # seconds, for nothing at the end
        return work(worker)
    except Unreachable as error:
        # Everything trained so far is in the checkpoint; a restarted worker continues there.
        log.error("%s", error)
        return DRAINED


def _work_alone(worker: Worker) -> int:
    """Work without a supervisor, which would note the worker's end."""
    code = _work(worker)
    with suppress(Unreachable):
        worker.store.worker_ended(worker.name, code, "")
    return code


def _register(worker: Worker, share: DeviceShare) -> None:
    machine = {
        "process_scope": process_scope(),
        "gpu": share.visible,
        "code": code_digest(worker.stored.found.own),
        **describe_machine(worker.device),
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
