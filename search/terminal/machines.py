"""`search machines`: the machines of a study in a table, or as JSON."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from dashboards.analysis import machines as words
from dashboards.analysis import numbers
from dashboards.analysis.json_text import joined, list_text, object_text
from dashboards.analysis.machines import Machine, read_machines
from dashboards.analysis.snapshot import read_snapshot
from search.terminal.console import print_table
from spaces.stored import StoredStudy
from storage.store import Store


def print_machines(store: Store, study: str, *, as_json: bool, console: Console) -> None:
    """Print the machines of a study, those at work first; as JSON for programs."""
    snapshot = read_snapshot(store, study)
    found = read_machines(store, snapshot)
    if as_json:
        objects = (object_text(vars(each).items()) for each in found)
        for piece in joined(list_text(objects)):
            console.out(piece, highlight=False, end="")
        console.out()
    elif found:
        print_table(console, _table(found, snapshot.stored))
    else:
        told = f"no worker yet; start one with `search worker --study {study}`"
        console.out(told, highlight=False)


def _table(machines: Sequence[Machine], stored: StoredStudy) -> Table:
    has_engines = any(each.engine for each in machines)
    heads = ["workers", "trials", "epochs", "hours", "share", "devices", "versions", "commit"]
    heads += ["own code"] if stored.found.own else []
    heads += ["data", "clock", "last beat"] + (["engine"] if has_engines else [])
    table = Table(Column("machine", no_wrap=True), *heads)
    for each in machines:
        cells = [
            f"{each.at_work} of {each.workers}",
            str(each.trials),
            str(each.epochs),
            numbers.hours(each.hours * 3600),
            numbers.percent(each.share, 0),
            words.devices_of(each),
            words.versions_of(each, stored),
            words.commit_of(each),
            *([each.code or "-"] if stored.found.own else []),
            words.data_of(each),
            words.clock_of(each),
            f"{numbers.span(each.silent_seconds)} ago",
            *([words.engine_of(each) or "-"] if has_engines else []),
        ]
        table.add_row(Text(each.name), *map(Text, cells))
    return table
