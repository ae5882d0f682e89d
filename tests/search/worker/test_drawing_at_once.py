"""Workers that draw at the same moment: no two of them train the same configuration."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from search.samplers.choose import sampler_for
from search.worker.retries import RetryPolicy
from search.worker.retrying_store import RetryingStore
from spaces.params import Choice, Int, Param, Toggle
from spaces.study import Study
from storage.rows import Drawing, Way
from storage.store import Claim, Store
from tests.storage.samples import Explained, ended, finished, new_study, new_worker

AT_ONCE = 8
BESIDE = [Toggle("ldam"), Int("margin", 1, 5, when={"ldam": True})]  # 1 + 5 configurations
EVEN = [Choice("schedule", ("cosine", "step", "flat", "warm")), *BESIDE]
LIKELY = [Choice("schedule", {"cosine": 0.9, "step": 0.04, "flat": 0.03, "warm": 0.03}), *BESIDE]


@pytest.fixture
def many(database_url: str) -> Iterator[Store]:
    """A store through which as many workers draw as do at once."""
    with Store.open(database_url, connections=AT_ONCE) as store:
        yield store


def declare(store: Store, space: list[Param], **declared: Any) -> Study:
    """Store a study of 24 configurations and more trials, with its queue and its workers."""
    study = Study(
        name="small",
        objective="toy_curve",
        metric="val_loss",
        direction="minimize",
        trials=32,
        space=space,
        **declared,
    )
    queue = [study.space.mode(), *study.enqueue]
    store.create(new_study("small", trials=study.trials, queue=queue))
    for place in range(AT_ONCE):
        store.register_worker("small", new_worker(f"w{place}"))
    return study


def draw_at_once(store: Store, study: Study) -> list[tuple[Claim, dict[str, Any]]]:
    """Draw eight trials in threads, all of which have read the study before the first one writes.

    Returns each claim with the values that its worker trains with.
    """
    door = Barrier(AT_ONCE)

    def draw(place: int) -> tuple[Claim, dict[str, Any]]:
        claim = store.claim("small", f"w{place}", lease_seconds=30)
        assert isinstance(claim, Claim)
        looks = iter([door.wait])

        def choose(arrays: Any) -> Any:
            next(looks, int)()
            return sampler_for(study, claim.number, arrays)

        retrying = RetryingStore(store, RetryPolicy(lambda: False))
        return claim, retrying.draw(claim, choose, study.space.suggest)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return [*threads.map(draw, range(AT_ONCE))]


def loss(drawn: dict[str, Any]) -> float:
    """Be best where the schedule is flat and the margin large."""
    return (drawn["schedule"] != "flat") + 1 / (1 + drawn.get("margin", 0))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sampler", "space"),
    [("random", EVEN), ("tpe", EVEN), ("gp", LIKELY)],
    ids=["random", "tpe", "gp with a prior"],
)
def test_eight_workers_at_once_try_every_configuration_once_before_any_twice(
    sampler: Any, space: list[Param], many: Store
) -> None:
    study = declare(many, space, sampler=sampler)
    for _ in range(4):
        drawn = draw_at_once(many, study)
        for claim, values in drawn:
            failed = ended("FAIL", "code_error") if claim.number % 5 == 0 else None
            many.tell(claim, failed or finished(loss(values)))

    trials = many.trials("small")
    tried = [tuple(sorted(trial.params.items())) for trial in trials]
    assert len({*tried[:24]}) == len({*tried}) == 24
    assert [trial.number for trial in trials] == list(range(32))


def test_a_study_with_one_configuration_trains_it_in_every_trial(many: Store) -> None:
    study = declare(many, [Choice("schedule", ("flat",))])

    drawn = draw_at_once(many, study)

    assert [values for _, values in drawn] == [{"schedule": "flat"}] * AT_ONCE


def test_configurations_that_are_queued_twice_are_tried_twice_and_drawn_by_no_other_trial(
    many: Store,
) -> None:
    queued = {"schedule": "flat", "ldam": False}
    study = declare(many, LIKELY, enqueue=[queued, queued, {"schedule": "flat"}])

    drawn = [values for _, values in sorted(draw_at_once(many, study), key=lambda at: at[0].number)]

    assert drawn[1:3] == [queued, queued]
    assert len({str(values) for values in drawn}) == 7


def test_values_that_are_refused_again_and_again_are_stored_in_the_end(
    many: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where somebody removed the values of the trial that has them, and left the draw."""
    monkeypatch.setattr("search.worker.retrying_store.TIMES_TO_DRAW", 3)
    study = declare(many, [Choice("schedule", ("flat",))])
    drawn, retrying = [], RetryingStore(many, RetryPolicy(lambda: False))

    def choose(_: object) -> Explained:
        drawn.append("once more")
        return Explained(Drawing(Way.MODEL), is_new=True)

    for place in range(2):
        claim = many.claim("small", f"w{place}", lease_seconds=30)
        assert isinstance(claim, Claim)
        retrying.draw(claim, choose, study.space.suggest)

    assert [trial.params for trial in many.trials("small")] == [{"schedule": "flat"}] * 2
    assert len(drawn) == 1 + 3 + 1
