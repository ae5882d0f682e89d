"""Fields that take a list and hold a tuple or a space."""

from dataclasses import FrozenInstanceError, replace

import pytest

from spaces.found import Found
from spaces.params import Toggle
from spaces.space import Space
from spaces.study import Study

FACTS = {"name": "s", "objective": "o", "metric": "m", "direction": "minimize"}


def test_a_list_of_parameters_becomes_a_space_and_stays_one() -> None:
    study = Study(**FACTS, space=[Toggle("ldam")])

    assert study.space == Space((Toggle("ldam"),))
    assert replace(study, trials=3).space is study.space


def test_a_list_becomes_a_tuple_and_is_a_tuple_by_default() -> None:
    assert Found(too_large=["resnet50"]).too_large == ("resnet50",)
    assert Found().too_large == ()


def test_a_field_without_a_default_is_required() -> None:
    with pytest.raises(TypeError, match="space"):
        Study(**FACTS)


def test_a_converted_field_is_as_frozen_as_any_other() -> None:
    with pytest.raises(FrozenInstanceError):
        Found().too_large = ["resnet50"]
