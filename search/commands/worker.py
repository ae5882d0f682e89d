"""`search worker`: one worker on this machine, under a supervisor or by itself."""

import os
import socket
from argparse import Namespace

from search.create import open_study
from search.devices import own_slot, worker_environment
from search.logs import set_up_logs
from search.machine import describe_machine
from search.opened import open_store
from search.settings import Settings
from search.signals import listening
from search.worker import Worker, work, worker_name


def worker(arguments: Namespace, settings: Settings) -> int:
    """Follow trials of a stored study until there is none left or somebody asks to stop."""
    slot = own_slot(settings.visible_gpus, settings.threads)
    # Before torch is loaded: it reads these once.
    os.environ.update(worker_environment(slot, {}))
    set_up_logs()
    name = arguments.id or worker_name()
    with open_store(settings) as store, listening() as flag:
        study, source = open_study(arguments.study, arguments.data, settings, store)
        store.register_worker(
            name,
            study.name,
            socket.gethostname(),
            os.getpid(),
            slot.device,
            slot.threads,
            describe_machine(slot.device),
        )
        return work(Worker(name, study, store, settings, source, slot.device, slot.threads, flag))
