"""The order in which code may report its epochs."""

import math
from collections.abc import Sequence

import pytest

from objectives.contract import ContractError, EpochResult, Repeated
from search.worker.course import Unrecorded, check_metric, in_order


def result(epoch: int, loss: float = 0.5, **more: float) -> EpochResult:
    return EpochResult(epoch=epoch, metrics={"val_loss": loss, **more})


def followed(*epochs: int, recorded: int = 0, resumes: bool = False) -> list[EpochResult]:
    earlier = [result(epoch, 0.9) for epoch in range(1, recorded + 1)]
    return list(in_order(map(result, epochs), earlier, resumes=resumes))


@pytest.mark.parametrize(
    ("epochs", "recorded", "repeated"),
    [
        ((1, 2, 3), 0, 0),
        ((1, 2), 5, 0),
        ((4, 5), 3, 3),
        ((3, 4), 5, 2),
        ((), 3, 3),
        ((), 0, 0),
        ((1, 2, 2, 3), 0, 0),
    ],
)
def test_epochs_follow_each_other_with_those_from_before_in_front(
    epochs: Sequence[int], recorded: int, repeated: int
) -> None:
    results = followed(*epochs, recorded=recorded)
    assert [each.epoch for each in results] == list(range(1, len(results) + 1))
    assert [isinstance(each, Repeated) for each in results].count(True) == repeated


@pytest.mark.parametrize(
    ("epochs", "recorded", "detail"),
    [
        ((2,), 0, "the first epoch is 2, and 0 are recorded; count epochs from 1, or go on from"),
        ((5,), 3, "the first epoch is 5, and 3 are recorded; count epochs from 1, or go on from"),
        ((1, 2, 4), 0, "epoch 4 was reported after epoch 2; report each epoch once, and count"),
        ((1, 2, 1), 0, "epoch 1 was reported after epoch 2; report each epoch once, and count"),
    ],
)
def test_epochs_with_a_gap_and_those_that_go_back_are_refused(
    epochs: Sequence[int], recorded: int, detail: str
) -> None:
    with pytest.raises(ContractError) as caught:
        followed(*epochs, recorded=recorded)
    assert str(caught.value).startswith(detail)


def test_code_that_goes_on_behind_an_unknown_epoch_must_start_over() -> None:
    with pytest.raises(Unrecorded, match="it goes on at epoch 5, and 3 before it are known"):
        followed(5, recorded=3, resumes=True)


def test_an_epoch_reported_twice_must_have_the_same_numbers() -> None:
    same = [result(1, math.nan, step_s=1.0), result(1, math.nan, step_s=2.0)]
    assert len(list(in_order(same, (), resumes=False))) == 1
    with pytest.raises(ContractError) as caught:
        list(in_order([result(1), result(1, 0.4)], (), resumes=False))
    assert str(caught.value) == (
        "epoch 1 was reported twice, with different numbers; report each epoch once"
    )


def test_an_epoch_needs_the_studys_metric() -> None:
    check_metric(result(1), "val_loss")
    with pytest.raises(ContractError, match="epoch 1 reported no metric; report val_loss"):
        check_metric(EpochResult(epoch=1, metrics={}), "val_loss")
