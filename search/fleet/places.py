"""The places of a fleet with what the database knows about the workers in them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from search.fleet.engine import Slot, State
from storage.rows import HandBackReason, WorkerRow
from storage.store import Store


@dataclass(frozen=True)
class Place:
    """A worker's place: as the engine sees it, and the worker's row, None before there is one."""

    slot: Slot
    row: WorkerRow | None

    def at_the_end(self) -> "Place":
        """Return the place of a study whose trials have all ended, whose engine forgets it."""
        is_done = self.slot.state is State.GONE
        return Place(replace(self.slot, state=State.DONE), None) if is_done else self

    @property
    def doing(self) -> str:
        """The work of the place now, in a few words."""
        if self.slot.state is not State.UP:
            return str(self.slot.state)
        if self.row is None:
            return "starting"
        return "waiting" if self.row.trial is None else f"running trial {self.row.trial}"


def places(slots: Sequence[Slot], rows: Sequence[WorkerRow]) -> list[Place]:
    """Join the places with the rows of the workers that have not ended; a crew has several."""
    return [Place(slot, row) for slot in slots for row in _rows_of(slot, rows)]


def place_to_json(place: Place) -> dict[str, Any]:
    """Return a place as plain data."""
    row = place.row
    ours = {"worker": row.worker, "trial": row.trial} if row else {"worker": None, "trial": None}
    return {**asdict(place.slot), **ours, "doing": place.doing}


def free_the_killed(store: Store, killed: Sequence[Place]) -> None:
    """End the leases of workers that were killed, and note their ends.

    Raises StorageError where the database cannot be asked; the leases then expire by themselves.
    """
    for place in killed:
        if place.row:
            store.end_leases(place.row.worker, HandBackReason.STOPPED)
            store.worker_ended(place.row.worker, None, "killed by `search fleet down --now`")


def _rows_of(slot: Slot, rows: Sequence[WorkerRow]) -> Sequence[WorkerRow | None]:
    """Find a place's workers by the engine's name of it, else by their process; None for none.

    Where one lives, those that died there and whose lease has expired are left out.
    """
    ours = [row for row in rows if row.ended_at is None and _is_of(row, slot)]
    return [row for row in ours if not row.is_overdue] or ours or [None]


def _is_of(row: WorkerRow, slot: Slot) -> bool:
    engine = row.machine.get("engine")
    if isinstance(engine, Mapping) and engine.get("job") == slot.name:
        return True
    return slot.pid is not None and (row.host, row.pid) == (slot.node, slot.pid)
