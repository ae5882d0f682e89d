"""Train an exported trial again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from objectives import catalog
from objectives.contract import MICRO_BATCH, Attempt, DataSource, EpochResult
from search.exports.exported import Exported
from search.studies.splits import unpack, write_partition
from search.worker.endings import failure
from spaces.errors import StudyError
from storage.rows import Outcome

if TYPE_CHECKING:  # numpy
    from objectives.data.manifest.listed import ListedData


def train_again(
    exported: Exported, folder: Path, data: Path | None, device: str, code: Path | None = None
) -> Iterator[EpochResult]:
    """Train an exported trial with its recorded seed and threads, and yield each epoch.

    A trial that did not finish stops at its last recorded epoch; a finished one leaves its weights.

    folder: receives the weights and checkpoints.
    data: the data's folder here; None for data that need none.
    device: "cpu" or "cuda".
    code: the folder of the author's own code here; None for the code in the export.
    Raises StudyError when the data, the code, or the weights to start from differ from the recorded
    ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = _source(exported, folder, data)
    fingerprint = source.manifest.fingerprint
    if fingerprint != exported.data.fingerprint:
        raise StudyError(
            f"the data in {data} differs from the data that trial {exported.trial} was trained on"
            f" ({fingerprint[:12]}, not {exported.data.fingerprint[:12]!r})",
            "give that folder with --data",
        )
    _check_weights(exported, source)
    attempt = Attempt(
        folder=folder,
        data=source,
        seed=exported.seed,
        device=device,
        threads=exported.trained_on.threads,
    )
    objective = catalog.load(exported.objective_key, _code(exported, folder, code))
    results = objective(_config(exported), attempt)
    if exported.own:
        results = _told_in_a_line(exported, results)
    is_finished = exported.outcome == Outcome.FINISHED
    return results if is_finished else islice(results, exported.last_epoch.epoch)


def _code(exported: Exported, folder: Path, given: Path | None) -> Path | None:
    """Return the folder of the author's own code; None for a shipped objective."""
    if not exported.own:
        return None
    code = given or catalog.unpack_code(exported.own, folder / "code")
    if code is None:
        raise StudyError(
            f"the export has not the code of {exported.objective}, which is large or no text",
            "give its folder with --code DIR",
        )
    if changed := catalog.changed_code(exported.own, code):
        files = ", ".join(changed)
        raise StudyError(
            f"the code in {code} differs from that of trial {exported.trial} ({files})",
            "give the folder with the same files, or leave --code out",
        )
    return code


def _told_in_a_line(exported: Exported, results: Iterator[EpochResult]) -> Iterator[EpochResult]:
    """Yield the results of an author's own code; StudyError, with its place, where it fails."""
    try:
        yield from results
    except Exception as error:  # training code may raise anything
        raise StudyError(
            f"trial {exported.trial} cannot be trained again ({failure(error).detail})",
            "give this machine what the code needs, or train it where it was trained",
        ) from error


def _source(exported: Exported, folder: Path, data: Path | None) -> "ListedData":
    """List the data, with the recorded splits in place of those that would be carved here."""
    recorded = exported.data
    declared = DataSource(
        layout=recorded.layout,
        folder=data,
        split_seed=recorded.split_seed,
        folds=recorded.folds,
        has_test=recorded.has_test,
    )
    partition_for = _partition_writer(recorded.splits, folder)
    return catalog.list_data(exported.objective_key, declared, partition_for=partition_for)


def _partition_writer(
    splits: Mapping[str, Any] | None, folder: Path
) -> Callable[[Sequence[str]], Path] | None:
    if splits is None:
        return None
    return lambda paths: write_partition(folder / "splits.csv", unpack(splits, paths))


def _config(exported: Exported) -> dict[str, Any]:
    """Add the recorded micro-batch to the configuration, because BatchNorm depends on it.

    A trial that ran out of memory during training has two sizes; the last one is taken.
    """
    parts = exported.last_epoch.metrics.get(MICRO_BATCH)
    return {**exported.config, **({MICRO_BATCH: int(parts)} if parts else {})}


def _check_weights(exported: Exported, source: DataSource) -> None:
    config, recorded = exported.config, exported.weights
    here = catalog.preflight(exported.objective_key, [config], source)
    found = here.get(catalog.weights_key(config), {}).get("sha256", "none")
    if recorded and recorded.get("sha256") != found:
        raise StudyError(
            f"the {config.get('weights')} weights of {config.get('backbone')} here ({found[:12]})"
            f" are not the file {recorded.get('file')} that trial {exported.trial} started from",
            "bring that file here and set weights to its path",
        )
