"""The settings that a process changes before it trains, in the necessary order."""

from pathlib import Path

from objectives import catalog
from objectives.contract import Objective, ObjectiveKey
from search.logs import hush_teardown
from search.processes.devices import DeviceShare, take_share


def set_up_process(share: DeviceShare) -> None:
    """Restrict this process to its share of the machine and silence its teardown.

    Call it before torch is loaded: torch reads the environment once.
    """
    take_share(share)
    hush_teardown()


def load_objective(objective: ObjectiveKey, code: Path | None = None) -> Objective:
    """Import an objective, and exclude all objects so far from garbage collection; return it.

    code: this machine's folder of an author's own code.
    """
    loaded = catalog.load(objective, code)
    catalog.freeze_loaded()
    return loaded
