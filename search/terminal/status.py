"""`search status`: every study in a table, or one study with its trials and workers."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from dashboards.analysis import numbers, wording
from dashboards.analysis.badges import one_line
from dashboards.analysis.frame import Frame, Page, read_fields, read_frame, read_pages
from dashboards.analysis.json_text import joined, list_text, object_text
from dashboards.analysis.listing import StudiesReader, StudyLine
from dashboards.analysis.machines import Machine, read_machines
from dashboards.analysis.priors.knowledge import read_knowledge
from dashboards.analysis.priors.words import told
from dashboards.analysis.snapshot import Snapshot
from search.terminal.console import print_table
from spaces.data import NoData
from spaces.rules.versions import in_words
from storage.rows import TrialRow
from storage.store import Store

MOST_NAMED = 5  # machines in the line that tells their shares


def print_status(
    store: Store, study: str | None, *, as_json: bool, console: Console, every_trial: bool = False
) -> None:
    """Print the state of one study, or of all where `study` is None; as JSON for programs.

    every_trial: a table of all trials, not only of the newest ones.
    """
    if as_json:
        names = [study] if study is not None else [row.name for row in store.studies()]
        objects = (object_text(read_fields(store, name)) for name in names)
        for piece in joined(list_text(objects) if study is None else next(objects)):
            console.out(piece, highlight=False, end="")
        console.out()
    elif study is not None:
        _print_study(store, read_frame(store, study), console, every_trial=every_trial)
    elif lines := StudiesReader(store).read():
        print_table(console, _studies(lines))
    else:
        console.out("no study yet; start one with `search run --study digits`", highlight=False)


def _studies(lines: Iterable[StudyLine]) -> Table:
    table = Table(
        Column("study", no_wrap=True), "trials", "running", "workers", "best", "metric", "state"
    )
    for line in lines:
        if line.fault:
            cells = [*"-----", f"cannot be read: see `search status --study {line.name}`"]
        else:
            cells = _cells_of(line)
        table.add_row(Text(line.name), *map(Text, cells))
    return table


def _cells_of(line: StudyLine) -> list[str]:
    state = str(line.verdict.state) if line.verdict else ""
    best = f"{wording.number(line.best)} (trial {line.best_trial})"
    return [
        f"{line.ended}/{line.total}",
        str(line.running),
        str(line.workers),
        "-" if line.best is None else best,
        f"{line.measure}, {line.direction}",
        f"practice data, {state}" if line.is_practice else state,
    ]


def _print_study(store: Store, frame: Frame, console: Console, *, every_trial: bool) -> None:
    snapshot = frame.snapshot
    known = told(read_knowledge(store, frame.snapshot), frame.snapshot.study)
    for line in [*_head(frame), *known]:
        console.out(line, highlight=False)
    pages = read_pages(store, snapshot) if every_trial else [Page(frame.trials, frame.badges)]
    for page in pages:
        print_table(console, _trials(snapshot, page))
    if frame.left_out and not every_trial:
        console.out(_left_out(frame), highlight=False)
    for pair in frame.identical_trials:
        console.out(wording.suspicion(pair), highlight=False)
    if snapshot.live_workers:
        print_table(console, _workers(snapshot))
    if machines := read_machines(store, snapshot, at_least=2):
        console.out(_shares(machines, snapshot), highlight=False)


def _shares(machines: Sequence[Machine], snapshot: Snapshot) -> str:
    named = [f"{each.name} {numbers.percent(each.share, 0)}" for each in machines[:MOST_NAMED]]
    more = f" and {len(machines) - MOST_NAMED} more" if len(machines) > MOST_NAMED else ""
    return (
        f"{len(machines)} machines, by their share of the epochs: {', '.join(named)}{more}; see"
        f" `search machines --study {snapshot.study.name}`"
    )


def _left_out(frame: Frame) -> str:
    all_of_them = f"`search status --study {frame.snapshot.study.name} --all`"
    trials = "trial is" if frame.left_out == 1 else "trials are"
    return f"{frame.left_out} more {trials} not shown: see {all_of_them}"


def _head(frame: Frame) -> Iterator[str]:
    snapshot = frame.snapshot
    yield wording.title(snapshot)
    yield frame.verdict.line
    yield from frame.lost
    yield wording.counts(snapshot)
    yield wording.best(snapshot)
    study, found = snapshot.study, snapshot.stored.found
    if found.pins:
        yield f"pinned: {wording.values(found.pins)}"
    if found.skipped_checks:
        yield f"skipped checks of the data: {', '.join(found.skipped_checks)}"
    for each in found.accepted_versions:
        other = in_words(each["versions"], each["instead_of"])
        yield f"versions accepted on {each['host']}: {other}"
    if not isinstance(study.data, NoData):
        yield f"test split opened so far: {len(snapshot.look.test_uses)}"


def _trials(snapshot: Snapshot, page: Page) -> Table:
    table = Table("trial", "outcome", "epoch", snapshot.study.metric, "attempts", "values")
    if any(trial.number in page.badges for trial in page.trials):
        table.add_column("badges")
    for trial in page.trials:
        cells = [*_cells(snapshot, trial), one_line(page.badges.get(trial.number, ()))]
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
    original = snapshot.stored.promoted(trial.number)
    has_no_worker = trial.state == "RUNNING" and not trial.is_leased
    return [
        f"{trial.number} ({original})" if original else str(trial.number),
        "to be continued" if has_no_worker else trial.outcome or trial.state.lower(),
        wording.epochs(snapshot, trial),
        wording.number(last if trial.value is None else trial.value),
        str(trial.attempts),
        wording.params(trial),
    ]
