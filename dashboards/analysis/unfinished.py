"""Why no trial of a study has finished, and the way out."""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboards.analysis.snapshot import Snapshot
from storage.rows import Outcome

_AGAIN = "and start again with `search run --as NAME`"
# Where most trials ended in this way.
WAYS: Mapping[str, str] = {
    Outcome.PRUNED: "let the study's pruning begin later, or prune nothing, " + _AGAIN,
    Outcome.DIVERGED: (
        "look for numbers out of all proportion with `search check`, lower the learning rates, "
        + _AGAIN
    ),
    Outcome.OUT_OF_MEMORY: "use smaller networks, images or batches, " + _AGAIN,
    Outcome.CODE_ERROR: "mend the code that raised it, " + _AGAIN,
    Outcome.DATA_ERROR: "mend the data, see `search check`, " + _AGAIN,
    Outcome.METRIC_OUT_OF_RANGE: "mend what reports the metric, " + _AGAIN,
    Outcome.KILLED: "see the workers' logs and the machine's memory, " + _AGAIN,
    Outcome.STALLED: "see the workers' logs and the disk of the data, " + _AGAIN,
    Outcome.CUDA_ERROR: "see the workers' logs and `search doctor`, " + _AGAIN,
}


@dataclass(frozen=True)
class Unfinished:
    """Why no trial has finished, and the next step."""

    found: str
    fix: str


def why_none_finished(snapshot: Snapshot) -> Unfinished:
    """Say of a study without a best trial what became of its trials, and what to do."""
    study, ended = snapshot.study, snapshot.ended
    ends = ", ".join(f"{count} {way}" for way, count in snapshot.outcomes.most_common())
    said = f": {ends}{_reason(snapshot)}" if ended else ""
    if ended < study.trials:
        begun = ended or snapshot.running
        found = f"no trial has {'finished' if begun else 'begun'} yet{said}"
        fix = "wait" if snapshot.live_workers else f"go on with `search run --study {study.name}`"
        return Unfinished(found, fix)
    most = snapshot.outcomes.most_common(1)[0][0] if ended else ""
    more = f"begin more with `search run --study {study.name} --trials {2 * study.trials}`"
    return Unfinished(f"none of {ended} trials finished{said}", WAYS.get(most, more))


def _reason(snapshot: Snapshot) -> str:
    """Return what is known of the first trial that ended in the most common way."""
    [(most, _)] = snapshot.outcomes.most_common(1)
    first = snapshot.look.firsts[Outcome(most)]
    return f" (trial {first.number}: {first.detail})" if first.detail else ""
