"""`search doctor`: check whether this machine is ready, and print the fix where it is not."""

import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from search.processes.doctor import MachineFinding, examine
from search.settings import Settings
from search.terminal.console import page, print_table
from spaces.exits import DONE, FAILED

COLOURS = {"ok": "green", "warn": "yellow", "error": "red"}


def doctor(arguments: Namespace, settings: Settings) -> int:
    """Print the findings about this machine; exit with 1 when one of them is an error."""
    findings = list(examine(settings, arguments.workers))
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        print_table(page(), _table(findings))
    return FAILED if any(finding.level == "error" for finding in findings) else DONE


def _table(findings: Sequence[MachineFinding]) -> Table:
    table = Table(show_header=False)
    for finding in findings:
        found = f"{finding.found}; {finding.fix}" if finding.fix else finding.found
        level = Text(finding.level, style=COLOURS[finding.level])
        table.add_row(level, finding.name, Text(found))
    return table
