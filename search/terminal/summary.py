"""The last words of `search run`: what was found, what went wrong, what to type next."""

from collections.abc import Iterator, Sequence

from search.analysis.badges import Badges
from search.analysis.identical import Twins
from search.analysis.standing import Standing
from search.terminal import wording
from storage.rows import TrialRow

SHOWN_FAILURES = 3


def summary(
    standing: Standing, badges: Badges, workers: int, twins: Sequence[Twins] = ()
) -> Iterator[str]:
    """Yield the lines that close a run of so many workers."""
    yield wording.title(standing)
    yield wording.counts(standing)
    yield from _best(standing, badges)
    yield from _failures(standing)
    yield from (pair.words for pair in twins)
    yield from _next_commands(standing, workers)


def _best(standing: Standing, badges: Badges) -> Iterator[str]:
    yield wording.best(standing)
    if standing.best:
        if standing.best.number in badges:
            yield f"  {', '.join(badges[standing.best.number])}"
        yield from _learned(standing.best, standing.study.folds)


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


def _failures(standing: Standing) -> Iterator[str]:
    failed = [trial for trial in standing.final if trial.outcome not in ("finished", "pruned")]
    for trial in failed[:SHOWN_FAILURES]:
        yield f"trial {trial.number} {wording.ending(standing, trial)}"
    if len(failed) > SHOWN_FAILURES:
        yield f"and {len(failed) - SHOWN_FAILURES} more like these: see `search status`"


def _next_commands(standing: Standing, workers: int) -> Iterator[str]:
    name = standing.study.name
    if len(standing.final) < standing.study.trials:
        yield f"go on:  search run --study {name} --workers {workers}"
    if standing.best:
        yield f"export: search export --study {name} --trial best --out best.yaml"
    yield f"look:   search status --study {name}   or   search dashboard"
