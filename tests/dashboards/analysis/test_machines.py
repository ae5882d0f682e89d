"""Rows of machines put together, and what is said of each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dashboards.analysis.machines import (
    clock_of,
    data_of,
    devices_of,
    joined,
    machine_of,
    versions_of,
)
from dashboards.analysis.numbers import THIN
from spaces.found import Found
from spaces.stored import StoredStudy
from spaces.study import Study
from storage.live.machines import MachineRow

START = datetime(2026, 11, 29, 12, tzinfo=UTC)
STUDY = StoredStudy(
    Study(name="toy", objective="toy_curve", metric="val_loss", direction="minimize", space=[]),
    Found(versions={"torch": "2.15.0", "python": "3.12"}),
)
ROW = MachineRow(
    host="box",
    scope="boot pid:[1]",
    workers=1,
    at_work=1,
    devices=[["cuda: NVIDIA H200", "0"], ["cuda: NVIDIA H200", "1"]],
    machine={"versions": {"torch": "2.15.0+cu130", "python": "3.12.4"}, "data": "ab"},
    first_seen_at=START,
    last_seen_at=START + timedelta(hours=1),
    silent_seconds=1.0,
    trials=2,
    epochs=10,
    seconds=3600.0,
)


def later(hours: float, **changes: object) -> MachineRow:
    start = START + timedelta(hours=hours)
    return replace(
        ROW,
        scope=f"after {hours}",
        first_seen_at=start,
        last_seen_at=start + timedelta(hours=1),
        **changes,
    )


def test_a_host_that_was_started_again_is_one_machine() -> None:
    (machine,) = joined([later(2), ROW, later(5, workers=3)])

    assert (machine.workers, machine.epochs, machine.trials) == (5, 30, 6)
    assert machine.scope == "after 5"
    assert machine.first_seen_at == START


def test_hosts_of_one_name_that_ran_at_the_same_time_are_two() -> None:
    assert len(joined([ROW, later(0.5)])) == 2
    assert len(joined([ROW, later(2, host="other")])) == 2


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ({"torch": "2.15.0+cpu", "python": "3.12.9"}, "as the study"),
        ({"torch": "2.14.0", "python": "3.12.9"}, "torch 2.14.0, not 2.15.0"),
        ({"python": "3.12.9"}, "torch missing, not 2.15.0"),
    ],
)
def test_only_versions_that_are_not_the_studys_are_named(
    versions: dict[str, str], said: str
) -> None:
    row = replace(ROW, machine={"versions": versions})

    assert versions_of(machine_of(row, STUDY, "ab"), STUDY) == said


@pytest.mark.parametrize(
    ("ahead", "said"),
    [(None, "-"), (0.4, "same"), (7205.0, "2 h 00 min ahead"), (-90.0, "1 min behind")],
)
def test_the_clock_of_a_machine_is_told_from_a_second_on(ahead: float | None, said: str) -> None:
    row = replace(ROW, machine={"clock_ahead_seconds": ahead})

    assert clock_of(machine_of(row, STUDY, "ab")).replace(THIN, " ") == said


def test_devices_are_counted_by_kind_and_data_are_compared() -> None:
    machine = machine_of(ROW, STUDY, "ab")

    assert devices_of(machine) == "2 x cuda: NVIDIA H200"
    assert data_of(machine) == "same"
    assert data_of(machine_of(ROW, STUDY, "other")) == "differ"
    assert data_of(machine_of(replace(ROW, machine={"data": "none"}), STUDY, "none")) == "-"
