"""`search check`: find faults of a study and its data before anything runs."""

import json
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from dashboards.analysis.numbers import percent, short
from dashboards.analysis.priors.declared import UNIFORM
from dashboards.analysis.priors.drawn import PriorDraws, prior_draws
from objectives.data.left_out import lines
from objectives.data.manifest.summary import DataSummary
from search.settings import Settings
from search.studies.declare import declare
from search.studies.examined import Examined, examine_rules
from search.studies.networks import weights_notes
from search.studies.overrides import read_overrides
from search.studies.rules import find_rules
from search.terminal.console import page, print_table
from search.terminal.stages import Stages
from spaces.shown import shown

if TYPE_CHECKING:  # numpy, which checking the rules alone does without
    from objectives.data.checks.fix import Mended


def check(arguments: Namespace, settings: Settings) -> int:
    """Print the findings of rules and data, the splits and the speed; return 2 on an error."""
    if arguments.rules_only:
        examined = examine_rules(read_overrides(arguments), settings)
    else:
        examined = _examine(arguments, settings)
    if arguments.json:
        print(json.dumps(_as_json(examined), indent=2))
    else:
        _print(examined, page())
    for line in _remarks_on(examined, arguments.fix):
        print(f"search: {line}", file=sys.stderr)
    return examined.exit_code


def _examine(arguments: Namespace, settings: Settings) -> Examined:
    # numpy and SQLAlchemy, which checking the rules alone does without.
    from search.database import store_if_any
    from search.studies.examine import Examination, examine

    overrides = read_overrides(arguments)
    declared = declare(overrides, settings)
    with store_if_any(settings) as store, Stages() as progress:
        examination = Examination(
            declared=declared,
            rules=find_rules(declared.stored),
            overrides=overrides,
            settings=settings,
            mends=arguments.fix,
            networks=True,
            throughput=not arguments.no_throughput,
            progress=progress,
        )
        return examine(examination, store)


def _remarks_on(examined: Examined, wants_fix: bool) -> Iterator[str]:
    yield from weights_notes(examined.weights)
    if wants_fix and not (examined.mended or examined.trouble):
        yield "no split was written: no problem here could be mended by another split"
    if examined.trouble:
        yield str(examined.trouble)


def _as_json(examined: Examined) -> dict[str, Any]:
    data, trouble = examined.data, examined.trouble
    summary = data.prepared.summary if data else None
    return {
        "study": examined.study,
        "findings": [asdict(each) for each in examined.found],
        "course": asdict(examined.course) if examined.course else None,
        "priors": [asdict(each) for each in prior_draws(examined.space)],
        "data": asdict(summary) if summary else None,
        "fingerprint": summary.fingerprint if summary else None,
        "skipped_checks": sorted(examined.skipped),
        "seconds": data.seconds if data else None,
        "images_opened": data.opened if data else None,
        "cached": data.opened == 0 if data else None,
        "fixed": {**asdict(examined.mended), "path": str(examined.mended.path)}
        if examined.mended
        else None,
        "weights": examined.weights,
        "throughput": asdict(examined.throughput) if examined.throughput else None,
        "trouble": {"error": trouble.found, "fix": trouble.fix} if trouble else None,
    }


def _print(examined: Examined, console: Console) -> None:
    for line in _lines(examined):
        console.out(line, highlight=False)
    summary = examined.data.prepared.summary if examined.data else None
    if summary and summary.counts:
        if summary.is_practice:
            console.out("practice data", highlight=False)
        if summary.classes:
            print_table(console, _counts(summary))
        for line in _remarks(summary):
            console.out(line, highlight=False)
    if draws := prior_draws(examined.space):
        print_table(console, _priors(draws))
    for line in examined.course.lines if examined.course else ():
        console.out(line, highlight=False)
    if examined.throughput:
        console.out(examined.throughput.words, highlight=False)


def _lines(examined: Examined) -> Iterator[str]:
    if examined.mended:
        yield from _changes(examined.mended)
    if examined.split_note:
        yield examined.split_note
    for each in examined.found:
        skipped = ", skipped" if each.rule in examined.skipped else ""
        yield f"{each.rule} {each.level}{skipped}: {each.message}"
    if not examined.found and not examined.trouble:
        yield "no rule is broken"


def _changes(mended: "Mended") -> Iterator[str]:
    yield (
        f"fixed by another split: {mended.moved} images moved, {mended.excluded} left out,"
        f" {mended.joined} groups joined with another; no image was touched"
    )
    if mended.is_new_split:
        yield "all images were divided anew, test included: do not compare with old numbers"


def _remarks(summary: DataSummary) -> Iterator[str]:
    if summary.folds:
        yield f"val is the first of {summary.folds} folds"
    yield from lines(summary.left_out)
    if summary.sealed_test:
        yield f"{summary.sealed_test:,} test images were found and stay unopened"


def _counts(summary: DataSummary) -> Table:
    table = Table("class", *summary.counts)
    for name in summary.classes:
        table.add_row(
            Text(shown(name)), *(str(counts.get(name, 0)) for counts in summary.counts.values())
        )
    if summary.groups:
        table.add_row("groups", *(str(summary.groups.get(split, 0)) for split in summary.counts))
    return table


def _priors(draws: Sequence[PriorDraws]) -> Table:
    """Build the table of what is drawn from each prior."""
    table = Table("parameter", "values", "middle 80 %", Column("prior", no_wrap=True))
    if any(each.when for each in draws):
        table.add_column("only when")
    for each in draws:
        middle = " to ".join(map(short, each.middle)) if each.middle else ""
        cells = [each.name, each.values, middle, _prior(each), each.when]
        table.add_row(*map(Text, cells[: len(table.columns)]))
    return table


def _prior(draws: PriorDraws) -> str:
    """Return a number's density, or the shares of options in their order."""
    if draws.prior == UNIFORM:
        return UNIFORM
    return draws.strip or ", ".join(percent(share, 0) for share in draws.shares.values())
