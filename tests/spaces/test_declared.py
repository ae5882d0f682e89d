"""Numbers and lists of other libraries become plain Python in a study, as JSON keeps it."""

import enum
import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spaces.data import FileNames, Table
from spaces.errors import StudyError
from spaces.params import Choice, Float, Int, Toggle
from spaces.priors import Prior
from spaces.stored import StoredStudy, from_json, to_json
from spaces.study import Pruning, Study


class Size(enum.IntEnum):
    SMALL = 8


class Network(enum.Enum):
    TINY = "small_cnn"


def study(**changes: Any) -> Study:
    fields: dict[str, Any] = {
        "name": "toy",
        "objective": "toy_curve",
        "metric": "val_loss",
        "direction": "minimize",
        "space": [Int("epochs", 1, 9)],
    }
    return Study(**fields | changes)


@pytest.mark.parametrize(
    ("made", "is_same_as"),
    [
        (
            lambda: Float("rate", np.float32(1e-4), np.float64(1e-2), log=np.bool_(True)),
            lambda: Float("rate", 1e-4, 1e-2, log=True),
        ),
        (lambda: Float("rate", Fraction(1, 4), Decimal("0.5")), lambda: Float("rate", 0.25, 0.5)),
        (lambda: Float("rate", np.array(0.5), np.float16(1)), lambda: Float("rate", 0.5, 1.0)),
        (lambda: Int("epochs", np.int64(2), np.uint8(9)), lambda: Int("epochs", 2, 9)),
        (
            lambda: Choice("size", np.array([8, 16])),
            lambda: Choice("size", [8, 16]),
        ),
        (lambda: Choice("size", np.float32([0.1, 0.3])), lambda: Choice("size", [0.1, 0.3])),
        (lambda: Choice("size", pd.Series([8, 16])), lambda: Choice("size", [8, 16])),
        (lambda: Choice("name", np.array(["a", "b"])), lambda: Choice("name", ["a", "b"])),
        (lambda: Choice("size", (2**n for n in range(3))), lambda: Choice("size", (1, 2, 4))),
        (lambda: Choice("size", range(2, 4)), lambda: Choice("size", (2, 3))),
        (lambda: Choice("size", {8: 1.0, 16: 2.0}.keys()), lambda: Choice("size", (8, 16))),
        (
            lambda: Choice("size", {np.int64(8): np.float64(0.5), 16: 1}),
            lambda: Choice("size", {8: 0.5, 16: 1}),
        ),
        (lambda: Choice("size", (Size.SMALL, 16)), lambda: Choice("size", (8, 16))),
        (lambda: Toggle("ldam", np.float64(0.3)), lambda: Toggle("ldam", 0.3)),
        (lambda: Prior(np.float32(0.1)), lambda: Prior(0.1)),
        (lambda: Pruning(startup_trials=np.int64(3)), lambda: Pruning(startup_trials=3)),
        (
            lambda: Table(Path("a") / "b.csv", label="x", cuts=np.array([1.5, 2.5])),
            lambda: Table("a/b.csv", label="x", cuts=[1.5, 2.5]),
        ),
        (
            lambda: study(trials=np.int64(3), seed=np.int32(1), stall_minutes=np.float32(0.1)),
            lambda: study(trials=3, seed=1, stall_minutes=0.1),
        ),
        (
            lambda: study(
                fixed={"backbone": Network.TINY, "weights": Path("w/a.pt"), "x": np.True_}
            ),
            lambda: study(fixed={"backbone": "small_cnn", "weights": "w/a.pt", "x": True}),
        ),
        (
            lambda: study(space=[Int("epochs", 1, 9)], enqueue=[{"epochs": np.int64(3)}]),
            lambda: study(space=[Int("epochs", 1, 9)], enqueue=[{"epochs": 3}]),
        ),
    ],
)
def test_a_value_of_another_library_is_the_plain_one(
    made: Callable[[], Any], is_same_as: Callable[[], Any]
) -> None:
    assert repr(made()) == repr(is_same_as())


def test_a_study_with_numpys_numbers_comes_back_from_the_database() -> None:
    declared = study(
        trials=np.int64(3),
        fixed={"noise": np.float32(0.1)},
        space=[Choice("size", np.arange(3)), Float("rate", np.float64(1), np.float64(2))],
    )

    definition = json.loads(json.dumps(to_json(StoredStudy(declared))))

    assert json.loads(json.dumps(to_json(from_json(definition)))) == definition


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: Choice("size", {8, 16}), "are a set, which has no order; give a tuple"),
        (lambda: FileNames(label="x", skip={"a"}), "skip is {'a'}; give it a tuple"),
        (lambda: Choice("size", 8), "has no options; give a tuple"),
        (lambda: Choice("size", (8, 1j)), "neither text nor a number"),
        (lambda: Choice("size", pd.Series([8, pd.NA])), "neither text nor a number"),
        (lambda: Float("rate", "1", 2), "Float: low is '1'; give it a number"),
        (lambda: Float("rate", True, 2), "Float: low is True; give it a number"),
        (
            lambda: Float("rate", float("nan"), 2),
            "Float: low is nan; give it a number that is finite",
        ),
        (lambda: Float("rate", Decimal("NaN"), 2), "low is nan; give it a number that is finite"),
        (lambda: Int("epochs", np.float64(1), 2), "an end that is not a whole number"),
        (lambda: study(trials=np.array([1, 2])), r"trials is \[1, 2\]; give it a whole number"),
        (lambda: study(about="a\0b"), r"about has the character '\\x00', which cannot be stored"),
        (lambda: study(about="a\ud83d"), "about has the character"),
        (lambda: study(fixed={"a\0": 1}), "fixed has the character"),
        (lambda: FileNames(label="x", names={"a": "b\ud83d"}), "names has the character"),
    ],
)
def test_a_value_without_a_plain_form_is_refused_for_its_own_reason(
    made: Callable[[], Any], says: str
) -> None:
    with pytest.raises(StudyError, match=says):
        made()


@pytest.mark.parametrize("name", ["n" * 63, "n" * 63 + "-practice"])
def test_a_study_of_the_longest_name_has_a_practice_form(name: str) -> None:
    assert study(name="n" * 63).for_practice().name == "n" * 63 + "-practice"
    assert study(name=name).name == name


def test_a_longer_name_is_refused() -> None:
    with pytest.raises(StudyError, match="at most 63"):
        study(name="n" * 64)
