"""The machines of a study, where there are several: what each has, and what it has done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards.analysis import machines as words
from dashboards.analysis import numbers
from dashboards.analysis.machines import Machine
from dashboards.analysis.overview import Overview
from dashboards.live.view import View
from spaces.stored import StoredStudy

SHOWN = 16


@dataclass(frozen=True, kw_only=True)
class MachineLine:
    """One machine in words.

    differs: whether a version of it is not the study's.
    """

    name: str
    engine: str
    devices: str
    workers: str
    versions: str
    commit: str
    data: str
    clock: str
    last_beat_at: datetime
    trials: str
    epochs: str
    hours: str
    share: str
    differs: bool


@dataclass(frozen=True, kw_only=True)
class MachinesPanel:
    """The machines that are shown, and how many more there are; none where all is on one."""

    lines: Sequence[MachineLine]
    why: str
    command: str
    left_out: int


def machines(overview: Overview, view: View) -> MachinesPanel:
    """Build the panel of machines."""
    found = overview.machines
    at_work = sum(1 for each in found if each.at_work)
    return MachinesPanel(
        lines=[_line(each, overview.stored) for each in found[:SHOWN]],
        why=f"{at_work} of {len(found)} at work",
        command=f"search machines --study {overview.study.name}",
        left_out=max(0, len(found) - SHOWN),
    )


def _line(machine: Machine, stored: StoredStudy) -> MachineLine:
    return MachineLine(
        name=machine.name,
        engine=words.engine_of(machine),
        devices=words.devices_of(machine),
        workers=f"{machine.at_work} of {machine.workers}",
        versions=words.versions_of(machine, stored),
        commit=words.commit_of(machine),
        data=words.data_of(machine),
        clock=words.clock_of(machine),
        last_beat_at=machine.last_beat_at,
        trials=numbers.whole(machine.trials),
        epochs=numbers.whole(machine.epochs),
        hours=numbers.hours(machine.hours * 3600),
        share=numbers.percent(machine.share, 0),
        differs=bool(machine.differs),
    )
