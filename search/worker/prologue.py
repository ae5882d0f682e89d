"""The settings that a process changes before it trains, in the necessary order."""

from objectives import catalog
from search.logs import hush_teardown
from search.processes.devices import DeviceShare, take_share


def set_up_process(share: DeviceShare) -> None:
    """Restrict this process to its share of the machine and silence its teardown.

    Call it before torch is loaded: torch reads the environment once.
    """
    take_share(share)
    hush_teardown()


def load_objective(name: str) -> None:
    """Import the objective and torch, and exclude all objects so far from garbage collection."""
    catalog.load(name)
    catalog.freeze_loaded()
