"""`search status`: every study in a table, or one study with its trials and workers."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from search.analysis.badges import Badges, read_badges
from search.analysis.identical import IdenticalTrials, read_identical_trials
from search.analysis.snapshot import Snapshot, read_snapshot
from search.terminal import wording
from spaces.data import NoData
from storage.rows import TrialRow
from storage.store import Store


def print_status(store: Store, study: str | None, as_json: bool, console: Console) -> None:
    """Print how one study stands, or all of them; as JSON for programs."""
    names = [study] if study else [row.name for row in store.studies()]
    snapshots = [read_snapshot(store, name) for name in names]
    if as_json:
        whole = [
            as_mapping(each, read_badges(store, each), read_identical_trials(store, each))
            for each in snapshots
        ]
        text = json.dumps(whole[0] if study else whole, indent=2, allow_nan=False)
        console.out(text, highlight=False)
    elif study:
        only = snapshots[0]
        _print_study(only, read_badges(store, only), read_identical_trials(store, only), console)
    elif snapshots:
        console.print(_studies(snapshots))
    else:
        console.out("no study yet; start one with `search run --study digits`", highlight=False)


def as_mapping(
    snapshot: Snapshot, badges: Badges, identical: Sequence[IdenticalTrials] = ()
) -> dict[str, Any]:
    """Give a snapshot as plain JSON: moments in ISO 8601, null for a value that is not finite."""
    best = snapshot.best
    whole: dict[str, Any] = _plain(
        {
            "study": asdict(snapshot.row),
            "is_practice": snapshot.study.is_practice,
            "skipped_checks": list(snapshot.study.skipped_checks),
            "test_uses": [asdict(use) for use in snapshot.test_uses],
            "outcomes": snapshot.outcomes,
            "best": best.number if best else None,
            "trials": [
                {**asdict(trial), "badges": badges.get(trial.number, ())}
                for trial in snapshot.trials
            ],
            "identical_trials": [asdict(pair) for pair in identical],
            "workers": [asdict(worker) for worker in snapshot.workers],
        }
    )
    return whole


def _plain(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case datetime():
            return value.isoformat()
        case Mapping():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
    return value


def _studies(snapshots: list[Snapshot]) -> Table:
    table = Table(
        Column("study", no_wrap=True), "trials", "running", "workers", "best", "metric", ""
    )
    table.box = None
    for snapshot in snapshots:
        best, study = snapshot.best, snapshot.study
        remarks = ["practice data"] if study.is_practice else []
        if snapshot.row.stop and len(snapshot.final) < study.trials:
            remarks.append("stop requested" if snapshot.live_workers else "stopped")
        table.add_row(
            Text(study.name),
            f"{len(snapshot.final)}/{study.trials}",
            str(len(snapshot.running)),
            str(len(snapshot.live_workers)),
            f"{wording.number(best.value)} (trial {best.number})" if best else "-",
            f"{wording.measure(study)}, {study.direction}",
            ", ".join(remarks),
        )
    return table


def _print_study(
    snapshot: Snapshot, badges: Badges, identical: Sequence[IdenticalTrials], console: Console
) -> None:
    for line in (wording.title(snapshot), wording.counts(snapshot), wording.best(snapshot)):
        console.out(line, highlight=False)
    if snapshot.study.pins:
        console.out(f"pinned: {wording.values(snapshot.study.pins)}", highlight=False)
    if snapshot.study.skipped_checks:
        waved = ", ".join(snapshot.study.skipped_checks)
        console.out(f"checks of the data waved through: {waved}", highlight=False)
    if not isinstance(snapshot.study.data, NoData):
        console.out(f"test split opened so far: {len(snapshot.test_uses)}", highlight=False)
    console.print(_trials(snapshot, badges))
    for pair in identical:
        console.out(pair.words, highlight=False)
    if snapshot.live_workers:
        console.print(_workers(snapshot))


def _trials(snapshot: Snapshot, badges: Badges) -> Table:
    table = Table("trial", "how", "epoch", snapshot.study.metric, "attempts", "values", box=None)
    if badges:
        table.add_column("badges")
    for trial in snapshot.trials:
        cells = [*_cells(snapshot, trial), ", ".join(badges.get(trial.number, ()))]
        table.add_row(*(Text(cell) for cell in cells[: len(table.columns)]))
    return table


def _workers(snapshot: Snapshot) -> Table:
    table = Table("worker", "trial", "device", "threads", "pid", box=None)
    for worker in snapshot.live_workers:
        trial = "waiting" if worker.trial is None else str(worker.trial)
        table.add_row(worker.worker, trial, worker.device, str(worker.threads), str(worker.pid))
    return table


def _cells(snapshot: Snapshot, trial: TrialRow) -> list[str]:
    last = trial.last.value if trial.last else None
    is_adrift = trial.state == "RUNNING" and not trial.is_leased
    return [
        str(trial.number),
        "to be continued" if is_adrift else trial.outcome or trial.state.lower(),
        wording.epochs(snapshot, trial),
        wording.number(last if trial.value is None else trial.value),
        str(trial.attempts),
        wording.params(trial),
    ]
