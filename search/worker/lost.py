"""A trial whose GPU no longer answers: it goes on elsewhere, and its device is not used again."""

import os
import socket

from search.processes.ask_device import ask_device
from search.processes.gpus import named
from search.worker.endings import Ending, Failed, HandedBack
from search.worker.worker import Worker
from storage.rows import HandBackReason, Outcome

# A script that ends by a signal may have been killed by its own broken driver.
SUSPICIOUS = (HandBackReason.CUDA_ERROR, HandBackReason.KILLED)


def or_lost(ending: Ending, worker: Worker) -> Ending:
    """Return how the trial of a lost device ends; every other ending as it is.

    After an error of any code a fresh process asks the driver: no text of an error says whether
    the device or the code is at fault.
    """
    if worker.device != "cuda" or not _is_suspicious(ending):
        return ending
    answer = ask_device(os.environ.get("CUDA_VISIBLE_DEVICES", ""))
    if not answer.trouble:
        return ending
    error = ending.detail if isinstance(ending, Failed | HandedBack) else ""
    return HandedBack(HandBackReason.DEVICE_LOST, f"{_lost(worker.gpu, answer.trouble)} ({error})")


def _lost(label: str, trouble: str) -> str:
    """Say in one line which GPU of this machine is lost."""
    return f"{named(label)} of {socket.gethostname()} is lost: {trouble}"


def _is_suspicious(ending: Ending) -> bool:
    if isinstance(ending, HandedBack):
        return ending.reason in SUSPICIOUS
    return isinstance(ending, Failed) and ending.outcome == Outcome.CODE_ERROR
