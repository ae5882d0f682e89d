"""The last words of `search run`: what was found, what went wrong, what to type next."""

from collections.abc import Iterator, Sequence

from search.analysis.badges import Badges
from search.analysis.identical import IdenticalTrials
from search.analysis.snapshot import Snapshot
from search.terminal import wording
from storage.rows import Outcome, TrialRow

SHOWN_FAILURES = 3
WELL = (Outcome.FINISHED, Outcome.PRUNED)


def summary(
    snapshot: Snapshot, badges: Badges, workers: int, identical: Sequence[IdenticalTrials] = ()
) -> Iterator[str]:
    """Yield the lines that close a run of so many workers."""
    yield wording.title(snapshot)
    yield wording.counts(snapshot)
    yield from _best(snapshot, badges)
    yield from _failures(snapshot)
    yield from (pair.words for pair in identical)
    yield from _next_commands(snapshot, workers)


def _best(snapshot: Snapshot, badges: Badges) -> Iterator[str]:
    yield wording.best(snapshot)
    if snapshot.best:
        if snapshot.best.number in badges:
            yield f"  {', '.join(badges[snapshot.best.number])}"
        yield from _learned(snapshot.best, snapshot.study.folds)


def _learned(trial: TrialRow, folds: int) -> Iterator[str]:
    """Give what a trial has learned, not its times and its micro-batch, where there is any."""
    # No epoch of one fold speaks for all of them; what the last one has pooled does.
    epoch, kinds = (trial.last, ("pooled_",)) if folds else (trial.best, ("train_", "val_"))
    metrics = [
        f"{name} {value:.4g}"
        for name, value in (epoch.metrics if epoch else {}).items()
        if name.startswith(kinds)
    ]
    if epoch and metrics:
        where = f"over {folds} folds" if folds else f"at epoch {epoch.epoch}"
        yield f"  {where}: {', '.join(metrics)}"


def _failures(snapshot: Snapshot) -> Iterator[str]:
    failed = [trial for trial in snapshot.final if trial.outcome not in WELL]
    for trial in failed[:SHOWN_FAILURES]:
        yield f"trial {trial.number} {wording.ending(snapshot, trial)}"
    if len(failed) > SHOWN_FAILURES:
        yield f"and {len(failed) - SHOWN_FAILURES} more like these: see `search status`"


def _next_commands(snapshot: Snapshot, workers: int) -> Iterator[str]:
    name = snapshot.study.name
    if len(snapshot.final) < snapshot.study.trials:
        yield f"go on:  search run --study {name} --workers {workers}"
    if snapshot.best:
        yield f"export: search export --study {name} --trial best --out best.yaml"
    yield f"look:   search status --study {name}   or   search dashboard"
