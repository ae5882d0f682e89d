"""The rule of rungs: whether a trial is among the best third of its kin at a rung."""

from collections.abc import Iterator

from search.pruners.curve import Curve
from search.pruners.others import Others
from spaces.rungs import SIXTHS, kept_of, rungs_of
from spaces.study import Study
from storage.engine.rungs import Arrival, Standing


def why_stopped_at_rung(study: Study, curve: Curve, others: Others) -> str | None:
    """Say why a trial is stopped at a rung that it has reached; None where it goes on.

    It is compared with every trial of its kin that has reached the rung before it, whatever became
    of that trial. A rung that was passed while the database was away is judged afterwards.
    """
    for arrival in _arrivals(study, curve):
        standing = others.note(arrival)
        if standing and standing.rank > kept_of(standing.among):
            return _sentence(arrival, standing)
    return None


def note_missed_rungs(study: Study, curve: Curve, others: Others) -> None:
    """Note a trial at the rungs where it was not judged, for those to come."""
    for arrival in _arrivals(study, curve):
        others.note(arrival)


def _arrivals(study: Study, curve: Curve) -> Iterator[Arrival]:
    """Yield the rungs that a trial has reached since it was last judged."""
    for rung, epoch in rungs_of(study, curve.epochs, curve.settled_epoch).items():
        if curve.judged_epoch < epoch <= curve.last_epoch:
            value = curve.value_at(epoch, study)
            yield Arrival(rung=rung, kin=curve.kin, epoch=epoch, value=value)


def _sentence(arrival: Arrival, standing: Standing) -> str:
    kin = f" ({arrival.kin})" if arrival.kin else ""
    return (
        f"rung {arrival.rung} of {len(SIXTHS)}, epoch {arrival.epoch}: rank {standing.rank} of"
        f" {standing.among}{kin}; the best {kept_of(standing.among)} went on"
    )
