"""`search status`: every study in a table, or one study with its trials and workers."""

import json
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from search.analysis.badges import Badges
from search.analysis.frame import Frame, read_frame
from search.analysis.snapshot import Snapshot, read_snapshot
from search.terminal import wording
from search.terminal.console import print_table
from spaces.data import NoData
from storage.rows import TrialRow
from storage.store import Store


def print_status(store: Store, study: str | None, as_json: bool, console: Console) -> None:
    """Print the state of one study, or of all where `study` is None; as JSON for programs."""
    names = [study] if study is not None else [row.name for row in store.studies()]
    if as_json:
        frames = [read_frame(store, name).as_mapping() for name in names]
        text = json.dumps(frames if study is None else frames[0], indent=2, allow_nan=False)
        console.out(text, highlight=False)
    elif study is not None:
        _print_study(read_frame(store, study), console)
    elif names:
        print_table(console, _studies([read_snapshot(store, name) for name in names]))
    else:
        console.out("no study yet; start one with `search run --study digits`", highlight=False)


def _studies(snapshots: Sequence[Snapshot]) -> Table:
    table = Table(
        Column("study", no_wrap=True), "trials", "running", "workers", "best", "metric", ""
    )
    for snapshot in snapshots:
        best, study = snapshot.best, snapshot.study
        table.add_row(
            Text(study.name),
            f"{len(snapshot.final)}/{study.trials}",
            str(len(snapshot.running)),
            str(len(snapshot.live_workers)),
            f"{wording.number(best.value)} (trial {best.number})" if best else "-",
            f"{wording.measure(study)}, {study.direction}",
            ", ".join(_remarks(snapshot)),
        )
    return table


def _remarks(snapshot: Snapshot) -> Iterator[str]:
    if snapshot.stored.found.is_practice:
        yield "practice data"
    if snapshot.row.stop and len(snapshot.final) < snapshot.study.trials:
        yield "stop requested" if snapshot.live_workers else "stopped"


def _print_study(frame: Frame, console: Console) -> None:
    snapshot = frame.snapshot
    for line in _head(snapshot):
        console.out(line, highlight=False)
    print_table(console, _trials(snapshot, frame.badges))
    for pair in frame.identical_trials:
        console.out(wording.suspicion(pair), highlight=False)
    if snapshot.live_workers:
        print_table(console, _workers(snapshot))


def _head(snapshot: Snapshot) -> Iterator[str]:
    yield wording.title(snapshot)
    yield wording.counts(snapshot)
    yield wording.best(snapshot)
    study, found = snapshot.study, snapshot.stored.found
    if found.pins:
        yield f"pinned: {wording.values(found.pins)}"
    if found.skipped_checks:
        yield f"skipped checks of the data: {', '.join(found.skipped_checks)}"
    if not isinstance(study.data, NoData):
        yield f"test split opened so far: {len(snapshot.test_uses)}"


def _trials(snapshot: Snapshot, badges: Badges) -> Table:
    table = Table("trial", "how", "epoch", snapshot.study.metric, "attempts", "values")
    if badges:
        table.add_column("badges")
    for trial in snapshot.trials:
        cells = [*_cells(snapshot, trial), ", ".join(badges.get(trial.number, ()))]
        table.add_row(*(Text(cell) for cell in cells[: len(table.columns)]))
    return table


def _workers(snapshot: Snapshot) -> Table:
    table = Table("worker", "trial", "device", "threads", "pid")
    for worker in snapshot.live_workers:
        trial = "waiting" if worker.trial is None else str(worker.trial)
        cells = [worker.worker, trial, worker.device, str(worker.threads), str(worker.pid)]
        table.add_row(*map(Text, cells))
    return table


def _cells(snapshot: Snapshot, trial: TrialRow) -> list[str]:
    last = trial.last.value if trial.last else None
    has_no_worker = trial.state == "RUNNING" and not trial.is_leased
    return [
        str(trial.number),
        "to be continued" if has_no_worker else trial.outcome or trial.state.lower(),
        wording.epochs(snapshot, trial),
        wording.number(last if trial.value is None else trial.value),
        str(trial.attempts),
        wording.params(trial),
    ]
