"""`search chaos`: kill, pause and cut a study of one's own, and check that nothing is lost."""

import json
from argparse import Namespace

from rich.console import Console
from rich.table import Table

from search.chaos.faults import FAULTS
from search.chaos.play import Played, play
from search.chaos.sandbox import box
from search.errors import DONE, FAILED, UsageError
from search.settings import Settings
from search.terminal import wording
from search.terminal.console import page

SHOWN = 5  # of the cases in which a promise was broken

console = Console(stderr=True)


def chaos(arguments: Namespace, settings: Settings) -> int:
    """Inject faults round after round; exit 1 if a promise was broken, and keep the evidence."""
    kinds = _kinds(arguments.faults)
    with box(arguments.without) as made:
        played = play(made, arguments.rounds, arguments.seed, kinds, _say)
        is_surprise = not played.holds and arguments.without is None
        made.is_kept = arguments.keep or is_surprise
    if arguments.json:
        print(json.dumps(_plain(played, arguments.seed), indent=2))
    else:
        _print(played)
    if made.is_kept:
        _say(f"the study, its database and its logs are kept in {made.home}")
    return DONE if played.holds else FAILED


def _kinds(chosen: str | None) -> list[str]:
    kinds = chosen.split(",") if chosen else list(FAULTS)
    for kind in kinds:
        if kind not in FAULTS:
            raise UsageError(f"there is no fault {kind!r}; choose of {', '.join(FAULTS)}")
    return kinds


def _say(line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True)


def _print(played: Played) -> None:
    table = Table("promise", "checked", "broken", box=None)
    for promise in played.promises:
        broken = f"[red]{len(promise.broken)}" if promise.broken else "0"
        table.add_row(promise.words, str(promise.checked), broken)
    out = page()
    out.print(table)
    for promise in played.promises:
        for case in promise.broken[:SHOWN]:
            out.print(f"broken: {case}", style="red", highlight=False, soft_wrap=True)
    dealt = ", ".join(f"{count} x {kind}" for kind, count in played.faults.items())
    out.print(f"{dealt} in {wording.duration(played.seconds)}", highlight=False, soft_wrap=True)
    out.print("nothing was lost" if played.holds else "a promise was broken", style="bold")


def _plain(played: Played, seed: int) -> dict[str, object]:
    promises = [
        {"promise": each.words, "checked": each.checked, "broken": list(each.broken)}
        for each in played.promises
    ]
    return {
        "holds": played.holds,
        "seed": seed,
        "seconds": round(played.seconds, 1),
        "faults": dict(played.faults),
        "promises": promises,
    }
