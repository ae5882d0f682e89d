"""The last lines of `search run`: the best trial, the failures, and the next commands to type."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter

from dashboards.analysis import wording
from dashboards.analysis.frame import Frame
from dashboards.analysis.snapshot import Snapshot
from dashboards.analysis.trials.measures import value_epoch, value_metrics
from objectives.contract import HIGH, LOW
from spaces.study import Study
from storage.rows import WELL, TrialRow

SHOWN_FAILURES = 3


@dataclass(frozen=True)
class Page:
    """The page of a study.

    url: "" where nobody has served one.
    is_served: whether it can be opened still; the dashboard of a run ends with it.
    """

    url: str = ""
    is_served: bool = False


def summary(
    frame: Frame, workers: int, page: Page = Page(), known: Iterable[str] = ()
) -> Iterator[str]:
    """Yield the lines that close a run with that number of workers.

    known: what the search knows of the prior, in lines.
    """
    snapshot = frame.snapshot
    yield wording.title(snapshot)
    yield wording.counts(snapshot)
    yield from _best(frame)
    yield from known
    yield from _failures(snapshot)
    yield from map(wording.suspicion, frame.identical_trials)
    yield from _next_commands(snapshot, workers)
    yield from _looks(snapshot.study.name, page)


def _best(frame: Frame) -> Iterator[str]:
    best = frame.snapshot.best
    yield wording.best(frame.snapshot)
    if best:
        if best.number in frame.badges:
            yield f"  {', '.join(frame.badges[best.number])}"
        yield from _metrics(best, frame.snapshot.study)


def _metrics(trial: TrialRow, study: Study) -> Iterator[str]:
    """Yield a line with the trial's metrics; its times and micro-batch are left out."""
    # No epoch of one fold describes all of them; the last epoch has the pooled metrics.
    kinds = ("pooled_",) if study.folds else ("train_", "val_")
    epoch, metrics = value_epoch(study, trial), value_metrics(study, trial)
    shown = [
        f"{name} {value:.4g}{_interval(metrics, name)}"
        for name, value in metrics.items()
        if name.startswith(kinds) and not name.endswith((LOW, HIGH))
    ]
    if epoch and shown:
        where = f"over {study.folds} folds" if study.folds else f"at epoch {epoch.epoch}"
        yield f"  {where}: {', '.join(shown)}"


def _interval(metrics: Mapping[str, float], name: str) -> str:
    """Format the 95 % interval of a metric that has one, in brackets."""
    low, high = metrics.get(name + LOW), metrics.get(name + HIGH)
    return "" if low is None or high is None else f" ({low:.3g} to {high:.3g})"


def _failures(snapshot: Snapshot) -> Iterator[str]:
    """Yield a line with the first failure of each kind, and the number of the others."""
    firsts = sorted(snapshot.look.firsts.values(), key=attrgetter("number"))
    failed = [trial for trial in firsts if trial.outcome not in WELL][:SHOWN_FAILURES]
    for trial in failed:
        yield f"trial {trial.number} {wording.ending(snapshot, trial)}"
    outcomes = snapshot.look.outcomes
    others = sum(outcomes[each] for each in outcomes if each not in WELL) - len(failed)
    if others:
        see = f"`search status --study {snapshot.study.name} --all`"
        yield f"and {others} more that failed: see {see}"


def _next_commands(snapshot: Snapshot, workers: int) -> Iterator[str]:
    name, total = snapshot.study.name, snapshot.study.trials
    if snapshot.ended < total:
        yield f"go on:  search run --study {name} --workers {workers}"
    elif not snapshot.stored.found.promoted_from:  # such a study has no others
        yield f"more:   search run --study {name} --trials {2 * total}"
    if snapshot.best:
        yield f"export: search export --study {name} --trial best --out best.yaml"


def _looks(name: str, page: Page) -> Iterator[str]:
    if page.is_served:
        yield f"page:   {page.url}"
        yield f"look:   search status --study {name}"
    elif page.url:
        yield f"look:   search status --study {name}"
        yield f"look again: search dashboard, then {page.url}"
    else:
        yield f"look:   search status --study {name}   or   search dashboard"
