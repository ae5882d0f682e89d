"""Trials a second of several processes on one study."""

from collections.abc import Iterator
from statistics import median

from benchmarks.engine.crew import Crew, crew
from benchmarks.engine.lab import Lab
from benchmarks.figures import Figure, Target, middle, ratio

WORKERS = {1: Target(3, is_least=True), 2: Target(4, is_least=True), 8: Target(6, is_least=True)}
DRAWING, DRAWS = (8, 32), Target(120, is_least=True)


def trials_a_second(lab: Lab) -> Iterator[Figure]:
    """Measure whole trials a second over plain Optuna's."""
    with crew(max(WORKERS)) as workers:
        for count, target in WORKERS.items():
            rounds = [
                (
                    _rate(lab, workers, "our trials", count),
                    _rate(lab, workers, "plain trials", count),
                )
                for _ in range(lab.rounds)
            ]
            ours, plain = (median(column) for column in zip(*rounds, strict=True))
            yield Figure(
                row="workers",
                name="whole trials a second over plain Optuna's",
                at=_at(lab, count),
                value=ratio(rounds),
                target=target,
                beside={"ours": ours, "plain": plain},
            )


def draws_a_second(lab: Lab) -> Iterator[Figure]:
    """Measure claims with their draw and tell a second."""
    with crew(max(DRAWING)) as workers:
        for count in DRAWING:
            ours = [_rate(lab, workers, "our draws", count) for _ in range(lab.rounds)]
            plain = _rate(lab, workers, "plain draws", count)  # once: 32 of them take long to begin
            yield Figure(
                row="draws",
                name="claim, draw and tell a second",
                at=_at(lab, count),
                value=middle(ours),
                target=DRAWS,
                beside={"plain": plain},
            )


def _rate(lab: Lab, workers: Crew, side: str, count: int) -> float:
    with lab.copy(lab.sizes.small) as place:
        return workers.work(side, place, count, lab.seconds)


def _at(lab: Lab, count: int) -> str:
    return f"{count} at once, {lab.sizes.small:,} trials"
