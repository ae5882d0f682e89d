"""`search check`: what is wrong with a study or its data, before anything runs."""

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from objectives.data.summary import DataSummary
from search.page import page
from search.prepare import (
    Wishes,
    check_networks,
    check_rules,
    declared_study,
    licence_notes,
    parse_pins,
    prepare,
)
from search.settings import Settings
from spaces.rules.finding import Finding


def check(arguments: Namespace, settings: Settings) -> int:
    """Print what the rules find and how the data splits; an error ends it with exit code 2."""
    pins = parse_pins(arguments.pins)
    if arguments.rules_only:
        study = declared_study(arguments.study, settings).pinned(pins)
        findings, summary = check_rules(study), None
    else:
        prepared = prepare(Wishes(arguments.study, arguments.data, pins), settings)
        for note in licence_notes(check_networks(prepared.study)):
            print(f"search: {note}", file=sys.stderr)
        findings, summary = list(prepared.findings), prepared.summary
    if arguments.json:
        print(json.dumps(_as_json(findings, summary), indent=2))
    else:
        _print(findings, summary)
    return 0


def _as_json(findings: Sequence[Finding], summary: DataSummary | None) -> dict[str, object]:
    return {
        "findings": [asdict(finding) for finding in findings],
        "data": asdict(summary) if summary else None,
    }


def _print(findings: Sequence[Finding], summary: DataSummary | None) -> None:
    console = page()
    for finding in findings:
        console.out(f"{finding.rule} {finding.level}: {finding.message}", highlight=False)
    if not findings:
        console.out("no rule is broken", highlight=False)
    if summary and summary.counts:
        if summary.is_practice:
            console.out("practice data", highlight=False)
        console.print(_counts(summary))


def _counts(summary: DataSummary) -> Table:
    table = Table("class", *summary.counts, box=None)
    for name in summary.classes:
        table.add_row(Text(name), *(str(counts.get(name, 0)) for counts in summary.counts.values()))
    if summary.groups:
        table.add_row("groups", *(str(summary.groups.get(split, 0)) for split in summary.counts))
    for name, count in summary.skipped.items():
        table.add_row(Text(f"{name} (skipped)"), str(count))
    return table
