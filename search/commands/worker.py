"""`search worker`: one worker on this machine, under a supervisor or by itself."""

import logging
import os
import socket
from argparse import Namespace
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import TypeAlias

from search.database import open_store
from search.errors import DRAINED
from search.logs import hush_teardown, set_up_logs
from search.processes.devices import DeviceShare, own_share, take_share
from search.processes.machine import describe_machine, process_scope
from search.processes.signals import StopFlag, listening
from search.settings import Settings
from search.studies.networks import check_networks_here
from search.studies.reopen import open_study
from search.worker.loop import work
from search.worker.worker import Worker, worker_name
from storage.artifacts import check_reachable
from storage.errors import Unreachable
from storage.store import NewWorker, Store

log = logging.getLogger(__name__)

OpenStore: TypeAlias = Callable[[Settings], AbstractContextManager[Store]]


def worker(arguments: Namespace, settings: Settings, open_store: OpenStore = open_store) -> int:
    """Follow trials of a stored study until there is none left or somebody asks to stop.

    open_store: opens the store that the worker claims from and writes to.
    """
    share = own_share(settings.visible_gpus, settings.threads)
    take_share(share)
    set_up_logs()
    hush_teardown()
    if settings.shared_artifacts and not arguments.id:
        check_reachable(settings.shared_artifacts)
    try:
        with open_store(settings) as store, listening() as flag:
            return _work(arguments, settings, store, share, flag)
    except Unreachable as error:
        if not arguments.id:
            raise
        # Under a supervisor: it starts us again once the database is back.
        log.error("%s", error)
        return DRAINED


def _work(
    arguments: Namespace, settings: Settings, store: Store, share: DeviceShare, flag: StopFlag
) -> int:
    name = arguments.id or worker_name()
    stored, source = open_study(arguments.study, arguments.data, settings, store)
    if not arguments.id:  # the `run` that supervises us has looked
        check_networks_here(stored)
    machine = {"process_scope": process_scope(), **describe_machine(share.device)}
    registered = NewWorker(
        name=name,
        host=socket.gethostname(),
        pid=os.getpid(),
        device=share.device,
        threads=share.threads,
        machine=machine,
    )
    store.register_worker(stored.study.name, registered)
    code = _until_the_end(
        Worker(
            name=name,
            stored=stored,
            store=store,
            settings=settings,
            data=source,
            device=share.device,
            threads=share.threads,
            flag=flag,
        )
    )
    if not arguments.id:  # a supervisor would note it
        with suppress(Unreachable):
            store.worker_ended(name, code, "")
    return code


def _until_the_end(worker: Worker) -> int:
    try:
        return work(worker)
    except Unreachable as error:
        # What was trained is in the checkpoint: start it again and it goes on there.
        log.error("%s", error)
        return DRAINED
