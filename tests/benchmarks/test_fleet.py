"""The simulated fleet keeps to what can be computed by hand."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.fleet.__main__ import Fleet, cold_start, cores_used, find_walls, row_of, run_of
from benchmarks.fleet.costs import Costs, Part, costs_of, read_costs
from benchmarks.fleet.simulation import Machines, Trial, simulate

FREE = Part(client=0, server=0, waits=0, trips=0)
NOTHING = Costs(
    at="10 trials",
    claim=FREE,
    draw=FREE,
    epoch=FREE,
    end=FREE,
    beat=FREE,
    look=0,
    imports=2,
    first=Part(client=1, server=0.5, waits=0.25, trips=0),
    peak_mb=100,
)
TWO = [Trial(epochs=2, epoch_seconds=10)] * 2
ONE_CORE = Machines(cores=1, trip=0.125)
FLEET = Fleet(workers=16, trials=64, epoch_seconds=1, cores=4, trip=0.001, connections=42)


def test_one_trial_takes_the_sum_of_its_parts() -> None:
    costs = replace(
        NOTHING,
        claim=Part(client=1, server=2, waits=0.5, trips=1),
        draw=Part(client=3, server=1, waits=0, trips=2),
        epoch=Part(client=0.25, server=0.5, waits=0.25, trips=2),
        end=Part(client=1, server=1, waits=1, trips=4),
    )

    run = simulate(costs, ONE_CORE, TWO[:1], [0.0])

    # Its first claim begins at 0 without the worker's share; the last one finds no trial.
    claim, draw, epoch, end = 2.625, 4.25, 11.25, 3.5
    assert run.present == claim + draw + 2 * epoch + end + 1 + claim
    assert (run.trials, run.trained, run.served) == (1, 20, 2 + 1 + 2 * 0.5 + 1 + 2)


def test_a_claim_waits_until_the_one_before_is_on_the_disk() -> None:
    costs = replace(NOTHING, claim=Part(client=0, server=1, waits=4, trips=0))

    run = simulate(costs, Machines(cores=2, trip=0), TWO, [0.0, 0.0])

    assert run.waits[:2] == [0, 5]
    assert run.locked == 4 * 5  # two that found a trial and two that found none


def test_requests_beyond_the_cores_wait_for_a_free_one() -> None:
    costs = replace(NOTHING, draw=Part(client=0, server=3, waits=0, trips=0))

    one = simulate(costs, Machines(cores=1, trip=0), TWO, [0.0, 0.0])
    two = simulate(costs, Machines(cores=2, trip=0), TWO, [0.0, 0.0])

    assert (one.present, two.present) == (2 * 20 + 3 + 6, 2 * (20 + 3))


def test_what_runs_beside_slows_every_request_down() -> None:
    costs = replace(NOTHING, draw=Part(client=0, server=3, waits=0, trips=0))

    run = simulate(costs, Machines(cores=2, trip=0, background=1), TWO[:1], [0.0])

    assert run.present == 20 + 2 * 3


def test_a_fleet_without_costs_only_trains() -> None:
    row = row_of(replace(FLEET, trip=0), NOTHING)

    assert row["time in training"] == pytest.approx(1)
    assert (row["server cores"], row["connections"], row["MB a machine"]) == (0, 42, 800)


def test_workers_that_start_at_once_share_the_cores() -> None:
    assert cold_start(FLEET, NOTHING) == 2 + 1 + 16 * 0.5 / 4 + 0.25


def test_the_walls_are_the_connections_and_then_what_a_trial_needs_most_of() -> None:
    slow_claim = replace(NOTHING, claim=Part(client=0, server=0.05, waits=0.05, trips=0))
    slow_epoch = replace(NOTHING, epoch=Part(client=0, server=0.1, waits=0, trips=0))

    assert [wall["wall"] for wall in find_walls(FLEET, slow_claim)] == [
        "42 connections",
        "the study's lock",
    ]
    connections, cores = find_walls(FLEET, slow_epoch)
    assert connections["workers"] == 17  # 16 have two each, the runs of two machines five each
    assert cores["wall"] == "the server's cores"
    # A worker's epoch is one second of training and a tenth of a core.
    assert 35 <= cores["workers"] <= 60


def test_beats_and_looks_alone_can_use_the_server_up() -> None:
    costs = replace(NOTHING, look=1.9)  # twice a second by two machines

    assert cores_used(FLEET, costs, run_of(FLEET, costs)) == pytest.approx(3.8)
    assert list(find_walls(FLEET, costs))[1]["wall"] == "the server's cores (beats, looks)"


def test_the_costs_are_those_in_the_largest_study(tmp_path: Path) -> None:
    numbers = {"client_ms": 1, "server_ms": 2, "waits_ms": 3, "trips": 4}
    lines = []
    for at, factor in (("90 trials", 1), ("1,000 trials", 1000)):
        scaled = {name: factor * value for name, value in numbers.items()}
        parts = ("claim", "draw", "epoch", "end", "beat")
        measured = [("steps", f"ms of CPU, {part}", 0, scaled) for part in parts]
        measured += [
            ("look", "ms of a supervisor's look", 0, scaled),
            ("cold", "peak memory in MB", 5, {}),
            (
                "cold",
                "seconds to the first trial, after imports",
                7.5,
                {**scaled, "import_seconds": 1},
            ),
        ]
        lines += [
            {"row": row, "figure": figure, "at": at, "median": median, "beside": beside}
            for row, figure, median, beside in measured
        ]
    path = tmp_path / "engine.jsonl"
    path.write_text("\n".join(["steps: 3 s", *map(json.dumps, lines)]))

    costs = read_costs(path)

    assert costs == costs_of(lines)
    assert costs.epoch == Part(client=1, server=2, waits=3, trips=4000)
    assert costs.first == Part(client=1, server=2, waits=4.5, trips=0)
    with pytest.raises(SystemExit, match="no figures of cold: run"):
        costs_of([line for line in lines if line["row"] != "cold"])
