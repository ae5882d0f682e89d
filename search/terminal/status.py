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
from search.analysis.identical import Twins, read_twins
from search.analysis.standing import Standing, read_standing
from search.terminal import wording
from spaces.data import NoData
from storage.rows import TrialRow
from storage.store import Store


def print_status(store: Store, study: str | None, as_json: bool, console: Console) -> None:
    """Print how one study stands, or all of them; as JSON for programs."""
    names = [study] if study else [row.name for row in store.studies()]
    standings = [read_standing(store, name) for name in names]
    if as_json:
        whole = [
            as_mapping(each, read_badges(store, each), read_twins(store, each))
            for each in standings
        ]
        text = json.dumps(whole[0] if study else whole, indent=2, allow_nan=False)
        console.out(text, highlight=False)
    elif study:
        only = standings[0]
        _print_study(only, read_badges(store, only), read_twins(store, only), console)
    elif standings:
        console.print(_studies(standings))
    else:
        console.out("no study yet; start one with `search run --study digits`", highlight=False)


def as_mapping(standing: Standing, badges: Badges, twins: Sequence[Twins] = ()) -> dict[str, Any]:
    """Give a standing as plain JSON: moments in ISO 8601, null for a value that is not finite."""
    best = standing.best
    whole: dict[str, Any] = _plain(
        {
            "study": asdict(standing.row),
            "is_practice": standing.study.is_practice,
            "skipped_checks": list(standing.study.skipped_checks),
            "test_uses": [asdict(use) for use in standing.test_uses],
            "outcomes": standing.outcomes,
            "best": best.number if best else None,
            "trials": [
                {**asdict(trial), "badges": badges.get(trial.number, ())}
                for trial in standing.trials
            ],
            "twins": [asdict(pair) for pair in twins],
            "workers": [asdict(worker) for worker in standing.workers],
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


def _studies(standings: list[Standing]) -> Table:
    table = Table(
        Column("study", no_wrap=True), "trials", "running", "workers", "best", "metric", ""
    )
    table.box = None
    for standing in standings:
        best, study = standing.best, standing.study
        remarks = ["practice data"] if study.is_practice else []
        if standing.row.stop and len(standing.final) < study.trials:
            remarks.append("stop requested" if standing.live_workers else "stopped")
        table.add_row(
            Text(study.name),
            f"{len(standing.final)}/{study.trials}",
            str(len(standing.running)),
            str(len(standing.live_workers)),
            f"{wording.number(best.value)} (trial {best.number})" if best else "-",
            f"{wording.measure(study)}, {study.direction}",
            ", ".join(remarks),
        )
    return table


def _print_study(
    standing: Standing, badges: Badges, twins: Sequence[Twins], console: Console
) -> None:
    for line in (wording.title(standing), wording.counts(standing), wording.best(standing)):
        console.out(line, highlight=False)
    if standing.study.pins:
        console.out(f"pinned: {wording.values(standing.study.pins)}", highlight=False)
    if standing.study.skipped_checks:
        waved = ", ".join(standing.study.skipped_checks)
        console.out(f"checks of the data waved through: {waved}", highlight=False)
    if not isinstance(standing.study.data, NoData):
        console.out(f"test split opened so far: {len(standing.test_uses)}", highlight=False)
    console.print(_trials(standing, badges))
    for pair in twins:
        console.out(pair.words, highlight=False)
    if standing.live_workers:
        console.print(_workers(standing))


def _trials(standing: Standing, badges: Badges) -> Table:
    table = Table("trial", "how", "epoch", standing.study.metric, "attempts", "values", box=None)
    if badges:
        table.add_column("badges")
    for trial in standing.trials:
        cells = [*_cells(standing, trial), ", ".join(badges.get(trial.number, ()))]
        table.add_row(*(Text(cell) for cell in cells[: len(table.columns)]))
    return table


def _workers(standing: Standing) -> Table:
    table = Table("worker", "trial", "device", "threads", "pid", box=None)
    for worker in standing.live_workers:
        trial = "waiting" if worker.trial is None else str(worker.trial)
        table.add_row(worker.worker, trial, worker.device, str(worker.threads), str(worker.pid))
    return table


def _cells(standing: Standing, trial: TrialRow) -> list[str]:
    last = trial.last.value if trial.last else None
    is_adrift = trial.state == "RUNNING" and not trial.is_leased
    return [
        str(trial.number),
        "to be continued" if is_adrift else trial.outcome or trial.state.lower(),
        wording.epochs(standing, trial),
        wording.number(last if trial.value is None else trial.value),
        str(trial.attempts),
        wording.params(trial),
    ]
