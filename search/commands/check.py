"""`search check`: what is wrong with a study or its data, before anything runs."""

import json
import sys
from argparse import Namespace
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from objectives.contract import DataError, RecipeError
from objectives.data.manifest.summary import DataSummary
from objectives.data.problems import Problem
from search.errors import DONE, MISMATCH, WRONG, UsageError
from search.settings import Settings
from search.studies.declare import Declared, declare, find_study, overridden
from search.studies.examine import Checked, check_data, skipped_in
from search.studies.networks import check_networks, licence_notes
from search.studies.overrides import Overrides, read_overrides
from search.studies.rules import check_fit, find_rules
from search.terminal.console import page
from spaces.errors import StudyError
from spaces.rules.finding import Finding

if TYPE_CHECKING:  # numpy, SQLAlchemy, torch's neighbours: checking the rules alone needs none
    from objectives.data.checks.fix import Mended
    from search.planning.throughput import Throughput

LEVELS = ("error", "warn", "info")


@dataclass(frozen=True)
class Report:
    """All that was found out.

    mismatch: how a stored study's data differ from these. skipped: the rules whose errors the study
    goes on with. trouble: what kept the rest from being looked at, with its fix.
    """

    study: str
    rules: list[Finding]
    mismatch: str = ""
    skipped: Collection[str] = ()
    checked: Checked | None = None
    mended: "Mended | None" = None
    split_note: str = ""
    weights: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    throughput: "Throughput | None" = None
    trouble: str = ""

    @property
    def found(self) -> list[Finding | Problem]:
        """Everything found, rules before data and errors before all else."""
        problems = self.checked.problems if self.checked else ()
        other = [Problem("C16", "error", self.mismatch)] if self.mismatch else []
        found: list[Finding | Problem] = [*self.rules, *other, *problems]
        return sorted(found, key=lambda each: LEVELS.index(each.level))

    @property
    def exit_code(self) -> int:
        """What a run would be refused with, else 0."""
        if self.mismatch:
            return MISMATCH
        errors = {each.rule for each in self.found if each.level == "error"}
        has_errors = bool(errors - {*self.skipped})
        return WRONG if has_errors or self.trouble else DONE


def check(arguments: Namespace, settings: Settings) -> int:
    """Print what rules and data have wrong, how the data split, and what is fast; 2 on an error."""
    overrides = read_overrides(arguments)
    if arguments.rules_only:
        stored = overridden(find_study(arguments.study, settings), overrides)
        report = Report(stored.study.name, find_rules(stored))
    else:
        report = _look(declare(overrides, settings), overrides, arguments, settings)
    if arguments.json:
        print(json.dumps(_as_json(report), indent=2))
    else:
        _print(report, page())
    nothing = arguments.fix and not (report.mended or report.trouble)
    unmended = "no split was written: there is nothing that another one would mend"
    for line in (*licence_notes(report.weights), unmended if nothing else "", report.trouble):
        if line:
            print(f"search: {line}", file=sys.stderr)
    return report.exit_code


def _look(
    declared: Declared, overrides: Overrides, arguments: Namespace, settings: Settings
) -> Report:
    """Look at one thing after another, as far as each can be looked at."""
    from search.planning.throughput import measure

    report = Report(declared.study.name, find_rules(declared.stored))
    can_train = report.exit_code == DONE
    try:
        report = _with_data(report, declared, overrides, settings, arguments.fix)
        if can_train and report.checked:
            prepared = report.checked.prepared
            check_fit(declared.stored, prepared.summary)
            report = replace(report, weights=check_networks(declared.stored))
            if not arguments.no_throughput:
                with Console(stderr=True).status("measuring loader and model"):
                    report = replace(report, throughput=measure(prepared, settings))
    except (DataError, RecipeError, StudyError) as error:
        report = replace(report, trouble=str(error))
    return report


def _with_data(
    report: Report, declared: Declared, overrides: Overrides, settings: Settings, fix: bool
) -> Report:
    from search.database import store_if_any
    from search.studies.mismatch import mismatch
    from search.studies.reopen import as_it_began, find
    from search.studies.splits import split_note

    with store_if_any(settings) as store:
        known = find(store, report.study) if store else None
        if fix and known:
            raise UsageError(
                f"study {known.name!r} is stored with its splits, which stay; start a new one:"
                f" `search check --fix --as {known.name}-2`, then `search run --as {known.name}-2`"
            )
        if known:
            as_it_began(known, declared.stored, overrides)
        report = replace(
            report,
            checked=check_data(declared, report.rules, settings, store),
            skipped=skipped_in(declared.stored, known),
        )
        report = _mended(report, settings) if fix else report
        if report.mended:
            report = replace(report, checked=check_data(declared, report.rules, settings, store))
        assert report.checked
        prepared = report.checked.prepared
        here = (prepared.manifest, declared.folder)
        other = mismatch(known, *here, store) if store and known else ""
    note = split_note(prepared.source.partition, settings, report.study)
    return replace(report, mismatch=other, split_note=note)


def _mended(report: Report, settings: Settings) -> Report:
    """Write a split that mends what a split can; `trouble` where nothing can be mended so."""
    from objectives.data.checks.fix import mend
    from search.studies.splits import split_file

    assert report.checked
    prepared, problems = report.checked.prepared, report.checked.problems
    if not any(problem.can_fix for problem in problems):
        return report
    out = split_file(settings, report.study)
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        mended = mend(prepared.source, prepared.manifest, problems, out, settings.cache)
    except DataError as error:
        return replace(report, trouble=str(error))
    return replace(report, mended=mended)


def _as_json(report: Report) -> dict[str, Any]:
    checked = report.checked
    summary = checked.prepared.summary if checked else None
    return {
        "study": report.study,
        "findings": [asdict(each) for each in report.found],
        "data": asdict(summary) if summary else None,
        "fingerprint": summary.fingerprint if summary else None,
        "skipped_checks": sorted(report.skipped),
        "seconds": checked.seconds if checked else None,
        "images_opened": checked.opened if checked else None,
        "cached": checked.opened == 0 if checked else None,
        "fixed": {**asdict(report.mended), "path": str(report.mended.path)}
        if report.mended
        else None,
        "weights": report.weights,
        "throughput": asdict(report.throughput) if report.throughput else None,
        "trouble": report.trouble or None,
    }


def _print(report: Report, console: Console) -> None:
    for line in _lines(report):
        console.out(line, highlight=False)
    summary = report.checked.prepared.summary if report.checked else None
    if summary and summary.counts:
        if summary.is_practice:
            console.out("practice data", highlight=False)
        console.print(_counts(summary))
        for line in _remarks(summary):
            console.out(line, highlight=False)
    if report.throughput:
        console.out(report.throughput.words, highlight=False)


def _lines(report: Report) -> Iterator[str]:
    if report.mended:
        yield from _changes(report.mended)
    if report.split_note:
        yield report.split_note
    for each in report.found:
        waved = ", waved through" if each.rule in report.skipped else ""
        yield f"{each.rule} {each.level}{waved}: {each.message}"
    if not report.found and not report.trouble:
        yield "no rule is broken"


def _changes(mended: "Mended") -> Iterator[str]:
    yield (
        f"fixed by another split: {mended.moved} images moved, {mended.excluded} left out,"
        f" {mended.joined} groups joined with another; no image was touched"
    )
    if mended.is_new_split:
        yield "all images were divided anew, test included: numbers from before do not compare"


def _remarks(summary: DataSummary) -> Iterator[str]:
    if summary.folds:
        yield f"val is the first of {summary.folds} folds"
    if summary.sealed_test:
        yield f"{summary.sealed_test:,} test images are there and stay unopened"


def _counts(summary: DataSummary) -> Table:
    table = Table("class", *summary.counts, box=None)
    for name in summary.classes:
        table.add_row(Text(name), *(str(counts.get(name, 0)) for counts in summary.counts.values()))
    if summary.groups:
        table.add_row("groups", *(str(summary.groups.get(split, 0)) for split in summary.counts))
    for name, count in summary.skipped.items():
        table.add_row(Text(f"{name} (skipped)"), str(count))
    return table
