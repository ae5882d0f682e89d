"""What an author's own code yields: taken as plain numbers, or refused in one line."""

import math
import os
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from objectives.contract import ContractError, EpochResult
from objectives.own.yielded import plain_result, plain_results


def result(value: Any = 0.5, **changes: Any) -> EpochResult:
    return EpochResult(**{"epoch": 1, "metrics": {"val_loss": value}} | changes)


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        np.float32(0.5),
        np.array(0.5),
        torch.tensor(0.5),
        torch.tensor(0.5, requires_grad=True).half(),
        Fraction(1, 2),
    ],
    ids=["float", "float32", "array", "tensor", "half", "fraction"],
)
def test_a_number_of_any_library_is_a_plain_one(value: Any) -> None:
    loss = plain_result(result(value)).metrics["val_loss"]
    assert (loss, type(loss)) == (0.5, float)


@pytest.mark.parametrize("value", [math.nan, np.float64("inf"), torch.tensor(-math.inf)])
def test_a_number_that_is_not_finite_stays(value: Any) -> None:
    assert str(plain_result(result(value)).metrics["val_loss"]) == str(float(value))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("0.41", "a str, '0.41'"),
        (None, "None"),
        (True, "a bool, True"),
        (np.True_, "a bool, np.True_"),
        (torch.tensor(True), "a Tensor, tensor(True)"),
        (torch.zeros(2, 3), "a Tensor of shape (2, 3)"),
        (np.zeros(1), "a ndarray of shape (1,)"),
        ([0.5], "a list, [0.5]"),
        (1j, "a complex, 1j"),
        (np.complex64(1), "a complex64, np.complex64(1+0j)"),
        (10**400, "an int, 1000"),
    ],
)
def test_a_metric_that_is_no_number_is_named_with_its_type(value: Any, kind: str) -> None:
    with pytest.raises(ContractError) as caught:
        plain_result(result(value))
    assert str(caught.value).startswith(f"val_loss of epoch 1 is {kind}")
    assert str(caught.value).endswith("; report a number")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("epoch", [0, -1, 1.0, True, "1", None, np.float64(2)])
def test_an_epoch_that_does_not_count_is_refused(epoch: Any) -> None:
    with pytest.raises(ContractError, match=r"an epoch is .*; count epochs 1, 2, 3$"):
        plain_result(result(epoch=epoch))


def test_an_epoch_of_numpy_counts() -> None:
    assert plain_result(result(epoch=np.int64(3))).epoch == 3


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", 3, None])
def test_a_metric_without_a_name_is_refused(name: Any) -> None:
    with pytest.raises(ContractError, match=r"a metric of epoch 1 is called .* plain text$"):
        plain_result(result(metrics={name: 0.5}))


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf, 0])
def test_seconds_that_cannot_be_are_left_to_be_measured(seconds: float) -> None:
    assert plain_result(result(seconds=seconds)).seconds == 0.0


@pytest.mark.parametrize(
    ("yielded", "found"),
    [
        ({"val_loss": 0.4}, "the objective yielded a dict, {'val_loss': 0.4}; yield EpochResult"),
        (0.4, "the objective yielded a float, 0.4; yield EpochResult"),
        (result(metrics=[0.4]), "the metrics of epoch 1 are a list, [0.4]; report a mapping"),
    ],
)
def test_a_thing_that_is_no_result_is_refused_with_the_way(yielded: Any, found: str) -> None:
    def train() -> Iterator[Any]:
        yield yielded

    with pytest.raises(ContractError) as caught:
        list(plain_results(train()))
    assert str(caught.value).startswith(found)


@pytest.mark.parametrize(
    ("returned", "kind"),
    [(None, "None"), ({"val_loss": 0.4}, "a dict, {'val_loss': 0.4}"), ([], "a list, []")],
)
def test_a_function_that_is_no_generator_is_told_to_yield(returned: Any, kind: str) -> None:
    with pytest.raises(ContractError) as caught:
        list(plain_results(returned))
    assert str(caught.value).startswith(f"the objective returned {kind}; let it yield EpochResult")


def test_code_that_is_stopped_may_clean_up_at_once() -> None:
    said = []

    def train() -> Iterator[EpochResult]:
        try:
            yield result()
        finally:
            said.append("saved")

    results = plain_results(train())
    next(results)
    results.close()
    assert said == ["saved"]


@pytest.mark.filterwarnings("ignore:.*fork")
def test_a_process_that_the_code_forks_does_not_train_on() -> None:
    def train() -> Iterator[EpochResult]:
        yield EpochResult(epoch=1, metrics={})
        child = os.fork()
        if child:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
        yield EpochResult(epoch=2 if child else 3, metrics={})

    assert [result.epoch for result in plain_results(train())] == [1, 2]
