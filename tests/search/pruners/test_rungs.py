"""The rule of rungs: where a trial is compared, with whom, and which of them go on."""

import pytest

from search.pruners.curve import Curve
from search.pruners.others import Others
from search.pruners.rungs import note_missed_rungs, why_stopped_at_rung
from spaces.params import Float
from spaces.rungs import rung_epochs
from spaces.study import Pruning, Study
from storage.engine.rungs import Arrival, Standing


def study(**changes: object) -> Study:
    declared = {"name": "small", "objective": "toy_curve", "metric": "val_loss"}
    space = [Float("learning_rate", 1e-4, 1.0)]
    return Study(**{**declared, "direction": "minimize", "space": space, **changes})  # type: ignore[arg-type]


def curve(*values: float, epochs: int, **more: object) -> Curve:
    numbered = dict(enumerate(values, start=1))
    return Curve(values=numbered, epochs=epochs, **more)  # type: ignore[arg-type]


class Noted:
    """The others, who answer with standings in turn, and remember who asked."""

    def __init__(self, *standings: Standing | None) -> None:
        self.arrivals: list[Arrival] = []
        self._standings = [*standings]

    @property
    def others(self) -> Others:
        def completed() -> None:
            raise AssertionError("rungs do not read curves")

        return Others(completed=completed, note=self._note)  # type: ignore[arg-type]

    @property
    def at(self) -> list[tuple[int, int, float]]:
        return [(each.rung, each.epoch, each.value) for each in self.arrivals]

    def _note(self, arrival: Arrival) -> Standing | None:
        self.arrivals.append(arrival)
        return self._standings.pop(0)


GOOD, BAD = Standing(1, 9), Standing(4, 9)


@pytest.mark.parametrize(
    ("epochs", "settled_epoch", "rungs"),
    [
        (60, 0, {1: 10, 2: 20, 3: 40}),
        (20, 0, {1: 4, 2: 7, 3: 14}),
        (24, 4, {1: 8, 2: 11, 3: 18}),  # the same shares of the 20 epochs after warm-up
        (20, 10, {1: 12, 2: 14, 3: 17}),
        (20, 18, {2: 19}),  # the first two fall on one epoch
        (20, 19, {}),
        (12, 0, {1: 2, 2: 4, 3: 8}),
        (6, 0, {2: 2, 3: 4}),
        (5, 1, {1: 2, 2: 3, 3: 4}),
        (4, 0, {2: 2, 3: 3}),
        (3, 0, {3: 2}),
        (2, 0, {}),  # its second epoch is its last one
        (1, 0, {}),
    ],
)
def test_rungs_lie_behind_the_settled_epoch_and_before_the_last(
    epochs: int, settled_epoch: int, rungs: dict[int, int]
) -> None:
    assert rung_epochs(epochs, settled_epoch) == rungs


def test_no_rung_lies_before_the_first_epoch_that_a_study_names() -> None:
    noted = Noted(GOOD)
    named = study(pruning=Pruning(first_epoch=9))
    why_stopped_at_rung(named, curve(*[0.5] * 14, epochs=20), noted.others)
    assert noted.at == [(3, 14, 0.5)]


def test_trials_of_any_warm_up_meet_at_the_same_share_of_what_follows_it() -> None:
    def shares(epochs: int, settled_epoch: int) -> dict[int, float]:
        return {
            rung: (epoch - settled_epoch) / (epochs - settled_epoch)
            for rung, epoch in rung_epochs(epochs, settled_epoch).items()
        }

    for epochs in range(8, 40):
        for settled in range(epochs - 6):
            for rung, share in shares(epochs, settled).items():
                wanted = {1: 1 / 6, 2: 1 / 3, 3: 2 / 3}[rung]
                assert wanted - 1e-9 <= share < wanted + 1 / (epochs - settled)


@pytest.mark.parametrize(
    ("among", "last_good"), [(3, 3), (4, 2), (5, 2), (6, 2), (7, 3), (9, 3), (10, 4), (100, 34)]
)
def test_the_best_third_goes_on_rounded_up_and_all_of_the_first_three(
    among: int, last_good: int
) -> None:
    def goes_on(rank: int) -> bool:
        noted = Noted(Standing(rank, among))
        return why_stopped_at_rung(study(), curve(0.5, 0.5, epochs=8), noted.others) is None

    assert [goes_on(rank) for rank in range(1, among + 1)] == [
        rank <= last_good for rank in range(1, among + 1)
    ]


def test_a_trial_is_judged_at_its_rungs_alone_by_its_best_value_until_then() -> None:
    values, noted = [0.9, 0.4, 0.8, 0.3, 0.2, 0.1, 0.0], Noted(GOOD, GOOD, GOOD)
    for epoch in range(1, 8):
        so_far = curve(*values[:epoch], epochs=8, judged_epoch=epoch - 1, kin="ldam=true")
        assert why_stopped_at_rung(study(), so_far, noted.others) is None
    assert noted.at == [(1, 2, 0.4), (2, 3, 0.4), (3, 6, 0.1)]
    assert {each.kin for each in noted.arrivals} == {"ldam=true"}


def test_where_the_last_epoch_counts_it_is_judged_by_the_newest_value() -> None:
    noted = Noted(GOOD, GOOD)
    why_stopped_at_rung(study(value="last"), curve(0.9, 0.4, 0.8, epochs=8), noted.others)
    assert noted.at == [(1, 2, 0.4), (2, 3, 0.8)]


def test_a_trial_that_is_stopped_is_told_where_and_against_whom() -> None:
    def why(kin: str) -> str | None:
        so_far = curve(*[0.5] * 7, epochs=20, judged_epoch=6, kin=kin)
        return why_stopped_at_rung(study(), so_far, Noted(Standing(9, 14)).others)

    assert why("balancing=ldam") == (
        "rung 2 of 3, epoch 7: rank 9 of 14 (balancing=ldam); the best 5 went on"
    )
    assert why("") == "rung 2 of 3, epoch 7: rank 9 of 14; the best 5 went on"


def test_a_missed_rung_is_judged_later_and_no_rung_after_it() -> None:
    noted = Noted(GOOD, BAD)
    late = curve(*[0.5] * 7, epochs=8, judged_epoch=0)
    assert "rung 2 of 3, epoch 3" in (why_stopped_at_rung(study(), late, noted.others) or "")
    assert noted.at == [(1, 2, 0.5), (2, 3, 0.5)]


def test_a_finished_trial_is_noted_at_every_rung_that_it_missed() -> None:
    noted = Noted(BAD, BAD)
    note_missed_rungs(study(), curve(*[0.5] * 8, epochs=8, judged_epoch=2), noted.others)
    assert noted.at == [(2, 3, 0.5), (3, 6, 0.5)]


def test_a_trial_whose_lease_is_lost_is_not_judged() -> None:
    assert why_stopped_at_rung(study(), curve(0.5, 0.5, epochs=8), Noted(None).others) is None


@pytest.mark.parametrize("rule", ["median", "none"])
def test_other_rules_have_no_rungs(rule: str) -> None:
    nobody = Noted()
    long = curve(*[0.5] * 7, epochs=8)
    assert why_stopped_at_rung(study(pruning=Pruning(rule)), long, nobody.others) is None
    assert nobody.at == []
