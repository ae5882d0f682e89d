"""The machines of a study as one: the facts of each, and how they differ from the study's."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dashboards.analysis import numbers
from dashboards.analysis.attempts.seldom import Seldom
from dashboards.analysis.snapshot import SILENCE_SECONDS, Snapshot
from spaces.rules.versions import differing, in_words
from spaces.stored import StoredStudy
from storage.live.machines import MachineRow
from storage.reader import StoreReader

NO_DATA = "none"  # the fingerprint of a study that has none
EQUAL_SECONDS = 1.0  # a difference of clocks below it is none


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One machine of a study.

    name: its host, with a number where another machine has the same one: `box`, `box (2)`.
    devices: kind of device -> how many of them.
    differs: the versions that are not the study's, by package; "" for a missing one.
    versions: all that its newest worker had, by package.
    commit: of search there; None outside a checkout.
    code: the digest of the author's own code; "" for none.
    has_same_data: whether its data are the study's; None for a study without data.
    clock_ahead_seconds: its clock minus the database's; None where it was not measured.
    engine: the program that started its workers on a cluster, by `name` and `job`; {} for none.
    at_work: how many workers it has now.
    workers: how many have registered, restarts included.
    silent_seconds: the time since its last beat, by the database's clock.
    trials: that ended here; epochs: that were recorded here.
    hours: of its workers' attempts.
    share: of all recorded epochs, 0 to 1.
    """

    name: str
    host: str
    devices: Mapping[str, int]
    differs: Mapping[str, str]
    versions: Mapping[str, str]
    commit: str | None
    code: str
    has_same_data: bool | None
    clock_ahead_seconds: float | None
    engine: Mapping[str, str]
    at_work: int
    workers: int
    last_beat_at: datetime
    silent_seconds: float
    trials: int
    epochs: int
    hours: float
    share: float


class MachinesReader:
    """Reads the machines of one study every ten seconds, where there are several."""

    def __init__(self) -> None:
        self._seldom = Seldom()
        self._machines: Sequence[Machine] = ()

    def read(self, store: StoreReader, snapshot: Snapshot) -> Sequence[Machine]:
        """Return the machines; none where all workers were on one."""
        if self._seldom.is_due():
            self._machines = read_machines(store, snapshot, at_least=2)
        return self._machines


def read_machines(store: StoreReader, snapshot: Snapshot, at_least: int = 1) -> list[Machine]:
    """Read the machines of a study, those at work first, then by their share.

    at_least: where there are fewer, none is returned.
    """
    row = snapshot.look.study
    rows = joined(store.machines(row.name, SILENCE_SECONDS, at_least))
    if len(rows) < at_least:
        return []
    all_epochs = sum(each.epochs for each in rows) or 1
    of_host: Counter[str] = Counter()
    machines = []
    for each in rows:
        of_host[each.host] += 1
        number = of_host[each.host]
        name = each.host if number == 1 else f"{each.host} ({number})"
        machine = machine_of(each, snapshot.stored, row.data_fingerprint)
        machines.append(replace(machine, name=name, share=each.epochs / all_epochs))
    return sorted(machines, key=lambda each: (not each.at_work, -each.share))


def joined(rows: Iterable[MachineRow]) -> list[MachineRow]:
    """Join the rows of one host whose workers followed each other: it was started again.

    Rows that overlap stay apart: they are containers, or machines, of one name.
    """
    machines: list[MachineRow] = []
    for row in sorted(rows, key=lambda each: each.first_seen_at):
        for place, before in enumerate(machines):
            if before.host == row.host and before.last_seen_at < row.first_seen_at:
                machines[place] = _together(before, row)
                break
        else:
            machines.append(row)
    return machines


def machine_of(row: MachineRow, stored: StoredStudy, data_fingerprint: str) -> Machine:
    """Return a machine with the facts of its newest worker; its share is that of the caller."""
    facts, found = row.machine, stored.found
    versions = facts.get("versions", {})
    data = facts.get("data")
    return Machine(
        name=row.host,
        host=row.host,
        devices=Counter(kind for kind, _ in row.devices),
        differs=differing(found.versions, (), versions) if versions else {},
        versions=versions,
        commit=facts.get("commit"),
        code=str(facts.get("code", "")),
        has_same_data=None if data in (None, NO_DATA) else data == data_fingerprint,
        clock_ahead_seconds=facts.get("clock_ahead_seconds"),
        engine=facts.get("engine") or {},
        at_work=row.at_work,
        workers=row.workers,
        last_beat_at=row.last_seen_at,
        silent_seconds=row.silent_seconds,
        trials=row.trials,
        epochs=row.epochs,
        hours=row.seconds / 3600,
        share=0.0,
    )


def devices_of(machine: Machine) -> str:
    """Name the devices of a machine: "2 x NVIDIA H200"."""
    named = machine.devices.items()
    return ", ".join(f"{count} x {kind}" if count > 1 else kind for kind, count in named)


def versions_of(machine: Machine, stored: StoredStudy) -> str:
    """Say how the versions of a machine differ from the study's."""
    if not stored.found.versions:
        return "not compared"
    return in_words(machine.differs, stored.found.versions) or "as the study"


def commit_of(machine: Machine) -> str:
    """Return the commit of search on a machine, in short; "-" outside a checkout."""
    commit, plus, changes = (machine.commit or "-").partition("+")
    return f"{commit[:12]}{plus}{changes}"


def data_of(machine: Machine) -> str:
    """Say whether the data of a machine are the study's; "-" where it has none."""
    return {None: "-", True: "same", False: "differ"}[machine.has_same_data]


def clock_of(machine: Machine) -> str:
    """Say how far a machine's clock is from the database's."""
    ahead = machine.clock_ahead_seconds
    if ahead is None:
        return "-"
    if abs(ahead) < EQUAL_SECONDS:
        return "same"
    return f"{numbers.span(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}"


def engine_of(machine: Machine) -> str:
    """Name the program that started the workers of a machine: "slurm 12_3"; "" for none."""
    return " ".join(filter(None, (machine.engine.get("name"), machine.engine.get("job"))))


def _together(before: MachineRow, after: MachineRow) -> MachineRow:
    devices = {tuple(each) for each in (*before.devices, *after.devices)}
    return replace(
        after,
        first_seen_at=before.first_seen_at,
        workers=before.workers + after.workers,
        devices=sorted(devices),
        trials=before.trials + after.trials,
        epochs=before.epochs + after.epochs,
        seconds=before.seconds + after.seconds,
    )
