"""`search retrain`: train an exported trial again and compare it with its recorded numbers."""

import tempfile
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from objectives.contract import BEST_WEIGHTS, EpochResult
from search.exports.exported import Exported
from search.exports.read import read_export
from search.exports.retrain import train_again
from search.exports.verify import NEAR, Difference, compare, why_inexact
from search.processes.devices import own_share
from search.settings import Settings
from search.studies.folders import find_data
from search.terminal.console import with_bar
from search.worker.prologue import load_objective, set_up_process
from spaces.errors import StudyError
from spaces.exits import DONE, FAILED

console = Console(stderr=True)


def retrain(arguments: Namespace, settings: Settings) -> int:
    """Train an exported trial again; with --verify, exit 1 unless its numbers come back."""
    exported = read_export(arguments.export)
    if arguments.out is None and not arguments.verify:
        raise StudyError(
            "nothing of this training would be kept",
            "add --out DIR for its weights, or --verify to compare its numbers with the recorded"
            " ones",
        )
    device = _own_device(exported, settings)
    data = _data(arguments, exported, settings)
    if not exported.own:
        load_objective(exported.objective_key)
    with _folder(arguments.out) as folder:
        results = train_again(exported, folder, data, device, code=arguments.code)
        again = _train(exported, results)
        if arguments.out and (folder / BEST_WEIGHTS).is_file():
            _say(f"weights: {folder / BEST_WEIGHTS}")
    if not arguments.verify:
        return DONE
    why = why_inexact(exported, device)
    measure = "within these tolerances" if why else "to the last bit"
    if why:
        _say(f"{why}: {NEAR}")
    differences = compare(exported, again, exactly=why is None)
    _print(differences, measure)
    return FAILED if differences else DONE


def _train(exported: Exported, results: Iterator[EpochResult]) -> dict[int, Mapping[str, float]]:
    last = exported.last_epoch.epoch
    steps = with_bar(results, f"trial {exported.trial}", last)
    again = {result.epoch: result.metrics for result in steps}
    if last not in again:
        _say(f"training ended after epoch {len(again)}, not as recorded after {last}")
    return again


def _own_device(exported: Exported, settings: Settings) -> str:
    """Restrict this process to one device and the recorded threads; return the device."""
    share = own_share(settings.visible_gpus, exported.trained_on.threads)
    set_up_process(share)
    return share.device


def _data(arguments: Namespace, exported: Exported, settings: Settings) -> Path | None:
    if not exported.data.needs_folder:
        return None
    return find_data(settings, exported.study, arguments.data)


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    if out is not None:
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="search-retrain-") as folder:
        yield Path(folder)


def _print(differences: list[Difference], measure: str) -> None:
    for difference in differences:
        again = difference.again
        now = "not trained again" if again is None else f"now {again!r}"
        where = f"{difference.where} {difference.metric}"
        _say(f"{where}: recorded {difference.recorded!r}, {now}")
    if differences:
        _say(f"{len(differences)} numbers did not come back {measure}")
    else:
        _say(f"every number came back {measure}")


def _say(line: str) -> None:
    console.out(line, highlight=False)
