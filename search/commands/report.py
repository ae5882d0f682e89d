"""`search report`: write a study's report as one page, with its table and its JSON beside it."""

import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path

from dashboards.report.facts import Facts, read_facts
from dashboards.report.fields import json_of
from dashboards.report.page import page_of
from search.database import open_store
from search.errors import UsageError
from search.exports.out import write_out
from search.settings import Settings
from search.studies.declare import stored_name
from search.terminal.stages import Stages
from spaces.exits import DONE

PAGE, TABLE, JSON = ".html", ".csv", ".json"
WRITERS: Mapping[str, Callable[[Facts], str]] = {
    PAGE: page_of,
    TABLE: lambda facts: facts.lines.csv,
    JSON: json_of,
}


def report(arguments: Namespace, settings: Settings) -> int:
    """Write what a study tried and found, for people, for spreadsheets and for programs."""
    name, out = stored_name(arguments.study), arguments.out
    kinds = _kinds(out)
    with open_store(settings) as store, Stages() as stages:
        facts = read_facts(store, name, settings.artifacts, stages)
        texts = {kind: WRITERS[kind](facts) for kind in kinds}
    if out == Path("-"):
        print(texts[PAGE], end="")
        return DONE
    for kind, text in texts.items():
        path = out.with_suffix(kind) if out.suffix else out
        is_new_folder = write_out(path, text)
        print(f"{path}{' in a new folder' if is_new_folder else ''}", file=sys.stderr)
    return DONE


def _kinds(out: Path) -> tuple[str, ...]:
    """Return the kinds of files that are asked for; the page brings the other two with it."""
    if out.suffix == PAGE:
        return (PAGE, TABLE, JSON)
    if out.suffix in WRITERS:
        return (out.suffix,)
    if not out.suffix:  # /dev/stdout, a pipe, "-"
        return (PAGE,)
    raise UsageError(
        f"{out} is neither a page nor a table nor JSON",
        f"let its name end with {PAGE}, {TABLE} or {JSON}",
    )
