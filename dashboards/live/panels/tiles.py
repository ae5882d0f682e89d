"""The tiles: trials, the best one, its second metric, time left, GPU-hours."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from dashboards.analysis import numbers
from dashboards.analysis.overview import Overview
from dashboards.analysis.shown_metric import shown_interval, shown_metric
from dashboards.analysis.trials.measures import interval_of, value_metrics
from dashboards.analysis.trials.ties import FEWEST
from dashboards.analysis.wording import measure
from dashboards.live.view import View
from dashboards.marks.bars import Part, stack
from objectives.contract import BALANCED_ACCURACY, HIGH, LOW, MACRO_AUC

BETTER = {"minimize": "lower is better", "maximize": "higher is better"}
LEAST_HOURS = 18  # seconds, which are shown as 0.01


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One number with its name, the words beside it, a bar and lines below.

    label: the bar in words.
    keys: the shapes of the bar's parts with their words.
    """

    name: str
    title: str
    big: str
    small: str = ""
    bar: Sequence[Part] = ()
    label: str = ""
    keys: Sequence[tuple[str, str]] = ()
    lines: Sequence[str] = ()


def tiles(overview: Overview, view: View) -> list[Tile]:
    """Build the tiles of a study."""
    return list(_tiles(overview))


def _tiles(overview: Overview) -> Iterator[Tile]:
    yield _trials(overview)
    yield _best(overview)
    best, study = overview.snapshot.best, overview.study
    # No epoch of one fold describes all of them.
    metrics = value_metrics(study, best) if best and not study.folds else {}
    if BALANCED_ACCURACY in metrics:
        yield _second(overview, metrics)
    yield _time(overview)
    if overview.hours.total:
        yield _hours(overview)


def _trials(overview: Overview) -> Tile:
    snapshot, total = overview.snapshot, overview.study.trials
    running = sum(trial.is_leased for trial in snapshot.running)
    counts = {
        "finished": snapshot.finished,
        "pruned": snapshot.pruned,
        "failed": snapshot.failed,
        "running": running,
    }
    words = {kind: f"{numbers.whole(count)} {kind}" for kind, count in counts.items() if count}
    parts = [(counts[kind], kind, word) for kind, word in words.items()]
    return Tile(
        name="trials",
        title="Trials",
        big=numbers.whole(snapshot.ended),
        small=f"of {numbers.whole(total)}",
        bar=stack(parts, max(total, snapshot.total)),
        label=", ".join(words.values()),
        keys=list(words.items()),
    )


def _best(overview: Overview) -> Tile:
    snapshot, study = overview.snapshot, overview.study
    title = f"Best {measure(study)} · {BETTER[study.direction]}"
    best = snapshot.best
    if best is None:
        return Tile(name="best", title=title, big=numbers.NONE, lines=["after the first trial"])
    later = sum(trial.number > best.number for trial in snapshot.running)
    since = snapshot.total - len(snapshot.look.waiting) - best.number - 1 - later
    none_better = f" · none better in {numbers.counted(since, 'trial')} since" if since else ""
    return Tile(
        name="best",
        title=title,
        big=shown_metric(study.metric, best.value),
        small=shown_interval(study.metric, *interval_of(study, best)),
        lines=[f"trial {best.number}{none_better}", *_tied(overview)],
    )


def _tied(overview: Overview) -> Iterator[str]:
    """Yield how many of the best trials cannot be told from the best one, where that is known."""
    ties, snapshot = overview.ties, overview.snapshot
    if ties.is_whole and ties.bases:
        others = f"{numbers.counted(len(ties.tied), 'other')} cannot be told from it"
        yield f"{others if ties.tied else 'no other comes close'} · one seed each"
    elif snapshot.finished < FEWEST:
        yield f"compared with others from {FEWEST} finished trials on"


def _second(overview: Overview, metrics: Mapping[str, float]) -> Tile:
    auc, weakest = metrics.get(MACRO_AUC), overview.classes.weakest
    return Tile(
        name="second",
        title="Balanced accuracy",
        big=numbers.percent(metrics[BALANCED_ACCURACY]),
        small=numbers.percent_interval(
            metrics.get(BALANCED_ACCURACY + LOW), metrics.get(BALANCED_ACCURACY + HIGH)
        ),
        lines=[
            "same trial" + (f" · AUC {auc:.3f}" if auc is not None else ""),
            *(
                [f"weakest: {weakest.name}, {numbers.percent(weakest.recall, 0)}"]
                if weakest
                else []
            ),
        ],
    )


def _time(overview: Overview) -> Tile:
    snapshot = overview.snapshot
    began = f"began {numbers.clock(snapshot.look.study.created_at)}"
    if snapshot.ended >= overview.study.trials:
        last = max((row.ended_at for row in snapshot.look.newest if row.ended_at), default=None)
        took = (last - snapshot.look.study.created_at).total_seconds() if last else None
        return Tile(name="time", title="Took", big=numbers.span(took), lines=[began])
    left = snapshot.remaining_seconds()
    if left is None:
        why = "after the first trial" if snapshot.live_workers else "nobody trains"
        return Tile(name="time", title="Time left", big=numbers.NONE, lines=[why])
    done = numbers.clock(overview.read_at + timedelta(seconds=left))
    return Tile(
        name="time",
        title="Time left",
        big=numbers.span(left),
        lines=[f"done about {done}", began],
    )


def _hours(overview: Overview) -> Tile:
    hours = overview.hours
    on_gpu = any(lane.slot.device == "cuda" for lane in overview.lanes.lanes)
    remaining = overview.snapshot.remaining_device_seconds() or 0.0
    whole = hours.total + remaining
    kinds = ("finished", "pruned", "failed", "lost", "running")
    parts = [
        (seconds, kind, f"{numbers.hours(seconds)} h {kind}")
        for kind in kinds
        if (seconds := getattr(hours, kind))
    ]
    costs = {"pruning saved": hours.saved, "failures cost": hours.failed + hours.lost}
    told = [
        f"{words}\N{NO-BREAK SPACE}{numbers.hours(seconds)}"
        for words, seconds in costs.items()
        if seconds >= LEAST_HOURS
    ]
    return Tile(
        name="hours",
        title="GPU-hours" if on_gpu else "CPU-hours",
        big=numbers.hours(hours.total),
        small=f"of about {numbers.hours(whole)}" if remaining else "",
        bar=stack(parts, whole),
        label=", ".join(words for _, _, words in parts),
        lines=[" · ".join(told)] if told else [],
    )
