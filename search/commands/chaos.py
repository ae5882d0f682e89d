"""`search chaos`: kill, pause and cut off a study of its own, and check that nothing is lost."""

import json
from argparse import Namespace

from rich.console import Console
from rich.table import Table

from dashboards.analysis import wording
from search.chaos.faults import FAULTS, SCRIPT_FAULT
from search.chaos.play import ChaosResult, play
from search.chaos.sandbox import SCRIPT_STUDY, STUDY, sandbox
from search.errors import UsageError
from search.settings import Settings
from search.terminal.console import page, print_table
from spaces.exits import DONE, FAILED

SHOWN_CASES = 5  # per broken promise

console = Console(stderr=True)


def chaos(arguments: Namespace, settings: Settings) -> int:
    """Inject faults round after round; exit 1 if a promise was broken, and keep the study then."""
    kinds = _kinds(arguments.faults, has_script=arguments.script)
    study = SCRIPT_STUDY if arguments.script else STUDY
    with sandbox(arguments.without, study) as made:
        result = play(made, kinds, rounds=arguments.rounds, seed=arguments.seed, say=_say)
        is_surprise = not result.holds and arguments.without is None
        made.is_kept = arguments.keep or is_surprise
    if arguments.json:
        print(json.dumps(_plain(result, arguments.seed), indent=2))
    else:
        _print(result)
    if made.is_kept:
        _say(f"the study, its database and its logs are kept in {made.home}")
    return DONE if result.holds else FAILED


def _kinds(chosen: str | None, *, has_script: bool) -> list[str]:
    known = [kind for kind in FAULTS if has_script or kind != SCRIPT_FAULT]
    kinds = chosen.split(",") if chosen else known
    for kind in kinds:
        if kind == SCRIPT_FAULT and not has_script:
            raise UsageError(f"there is no script for {kind!r}", "add --script")
        if kind not in known:
            raise UsageError(f"there is no fault {kind!r}", f"choose from {', '.join(known)}")
    return kinds


def _say(line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True)


def _print(result: ChaosResult) -> None:
    table = Table("promise", "checked", "broken")
    for promise in result.promises:
        broken = f"[red]{len(promise.broken)}" if promise.broken else "0"
        table.add_row(promise.words, str(promise.checked), broken)
    out = page()
    print_table(out, table)
    for promise in result.promises:
        for case in promise.broken[:SHOWN_CASES]:
            out.print(f"broken: {case}", style="red", highlight=False, soft_wrap=True)
    dealt = ", ".join(f"{count} x {kind}" for kind, count in result.faults.items())
    out.print(f"{dealt} in {wording.duration(result.seconds)}", highlight=False, soft_wrap=True)
    out.print("nothing was lost" if result.holds else "a promise was broken", style="bold")


def _plain(result: ChaosResult, seed: int) -> dict[str, object]:
    promises = [
        {"promise": each.words, "checked": each.checked, "broken": list(each.broken)}
        for each in result.promises
    ]
    return {
        "holds": result.holds,
        "seed": seed,
        "seconds": round(result.seconds, 1),
        "faults": dict(result.faults),
        "promises": promises,
    }
