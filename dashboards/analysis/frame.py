"""Everything that terminals, pages and other programs show about one study at one moment."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.analysis.badges import Badges, read_badges
from dashboards.analysis.identical import IdenticalTrials, read_identical_trials
from dashboards.analysis.methods.pruning import pruning_of
from dashboards.analysis.methods.sampler import drawn_by
from dashboards.analysis.notes import lost_gpus
from dashboards.analysis.priors.knowledge import read_knowledge
from dashboards.analysis.snapshot import Snapshot, read_snapshot
from dashboards.analysis.verdict import Verdict, verdict_of
from storage.reader import StoreReader
from storage.rows import TrialRow

NEWEST = 20
ENDED = 20  # workers, among which lost GPUs are looked for
GROWN = 1.1  # the share of ended trials from which identical ones are looked for again

Field = tuple[str, Any]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A study in sums and a few rows, with the conclusions drawn from them.

    It is bounded, whatever the size of the study: eleven outcomes at most, the 20 best trials, one
    pair of identical trials per hyperparameter, the workers that are there, and the rows below.

    trials: those that run, and the newest others, in the order of their numbers.
    badges: of these trials and of the best one.
    verdict: the study's state, in a sentence.
    lost: the GPUs that no longer answer, a line each.
    searched_trials: how many trials had ended when identical ones were last looked for.
    """

    snapshot: Snapshot
    verdict: Verdict
    trials: Sequence[TrialRow]
    badges: Badges
    lost: Sequence[str] = ()
    identical_trials: Sequence[IdenticalTrials] = ()
    searched_trials: int = 0

    @property
    def left_out(self) -> int:
        """The number of trials that are not among `trials`."""
        return self.snapshot.total - len(self.trials)


@dataclass(frozen=True)
class Page:
    """Some trials of a study, in the order of their numbers, with their badges."""

    trials: Sequence[TrialRow]
    badges: Badges


def read_frame(store: StoreReader, name: str, before: Frame | None = None) -> Frame:
    """Read the study of that name; UnknownStudy when there is none.

    before: an earlier frame of it; then only what has changed since is read.
    """
    earlier = before.snapshot if before else None
    snapshot = read_snapshot(store, name, earlier, newest=NEWEST)
    shown = {trial.number: trial for trial in [*snapshot.look.newest, *snapshot.running]}
    trials = [shown[number] for number in sorted(shown)]
    best = [snapshot.best] if snapshot.best and snapshot.best.number not in shown else []
    is_grown = not before or snapshot.ended >= GROWN * before.searched_trials
    ended = store.recent_workers(name, most=ENDED)
    return Frame(
        snapshot=snapshot,
        verdict=verdict_of(snapshot, ended),
        lost=tuple(lost_gpus(snapshot.live_workers, ended)),
        trials=trials,
        badges=_badges(store, snapshot, [*trials, *best], before),
        identical_trials=(
            before.identical_trials
            if before and not is_grown
            else read_identical_trials(store, snapshot)
        ),
        searched_trials=before.searched_trials if before and not is_grown else snapshot.ended,
    )


def _badges(
    store: StoreReader, snapshot: Snapshot, trials: Sequence[TrialRow], before: Frame | None
) -> Badges:
    """Find the badges of trials; one that has not changed since a frame before keeps its own."""
    if before is None or before.snapshot.look.identity != snapshot.look.identity:
        return read_badges(store, snapshot, trials)
    known = {trial.number: trial for trial in before.trials}
    same = {trial.number for trial in trials if known.get(trial.number) == trial}
    kept = {number: badges for number, badges in before.badges.items() if number in same}
    changed = [trial for trial in trials if trial.number not in same]
    return {**kept, **read_badges(store, snapshot, changed)}


def read_pages(store: StoreReader, snapshot: Snapshot) -> Iterator[Page]:
    """Read every trial of a snapshot as it was then, some hundred at a time."""
    ran = {trial.number: trial for trial in snapshot.running}
    for rows in store.pages(snapshot.study.name):
        trials = [
            _queued(row) if row.number in snapshot.look.waiting else ran.get(row.number, row)
            for row in rows
            if row.number < snapshot.total
        ]
        yield Page(trials, read_badges(store, snapshot, trials))


def _queued(trial: TrialRow) -> TrialRow:
    """Return a trial as it was in the queue, out of which it may have been taken since."""
    is_there = trial.state == "WAITING"
    return (
        trial
        if is_there
        else TrialRow(number=trial.number, trial_id=trial.trial_id, state="WAITING")
    )


def read_fields(store: StoreReader, name: str) -> Iterator[Field]:
    """Read the study of that name as the fields of a JSON object, each when it is asked for.

    Rows stay dataclasses. `trials` is an iterator, because there may be many. This is the output of
    `search status --json`.
    """
    snapshot = read_snapshot(store, name)
    yield "study", snapshot.look.study
    verdict = verdict_of(snapshot, store.recent_workers(name, most=1))
    yield "state", verdict.state
    yield "verdict", verdict.line
    yield "is_practice", snapshot.stored.found.is_practice
    yield "skipped_checks", snapshot.stored.found.skipped_checks
    yield "accepted_versions", snapshot.stored.found.accepted_versions
    yield "test_uses", snapshot.look.test_uses
    yield "outcomes", snapshot.outcomes
    yield "best", snapshot.best.number if snapshot.best else None
    yield "sampler", {"name": snapshot.study.sampler, "draws_by": drawn_by(snapshot.study)}
    yield "pruning", {"rule": snapshot.study.pruning.rule, "stops": pruning_of(snapshot.stored)}
    yield "knowledge", read_knowledge(store, snapshot)
    yield "trials", _trials(read_pages(store, snapshot))
    yield "identical_trials", read_identical_trials(store, snapshot)
    yield "workers", store.workers(name)


def _trials(pages: Iterable[Page]) -> Iterator[Mapping[str, Any]]:
    for page in pages:
        for trial in page.trials:
            yield with_badges(trial, page.badges)


def with_badges(trial: TrialRow, badges: Badges) -> Mapping[str, Any]:
    """Return a trial as a JSON object with its badges."""
    return {**vars(trial), "badges": badges.get(trial.number, ())}
