"""The space: its conditions, its order, and the rest after values are pinned."""

import optuna
import pytest

from spaces.errors import StudyError
from spaces.params import Choice, Float, Int, Toggle
from spaces.space import Space

MARGIN = Float("ldam_max_margin", 0.1, 0.8, when={"ldam": True})
SPACE = Space((Toggle("ldam"), MARGIN, Choice("batch_size", (32, 64))))


def test_a_conditional_parameter_is_drawn_only_under_its_condition() -> None:
    off = SPACE.suggest(optuna.trial.FixedTrial({"ldam": False, "batch_size": 32}))
    on = SPACE.suggest(
        optuna.trial.FixedTrial({"ldam": True, "ldam_max_margin": 0.3, "batch_size": 32})
    )

    assert off == {"ldam": False, "batch_size": 32}
    assert on == {"ldam": True, "ldam_max_margin": 0.3, "batch_size": 32}


def test_a_condition_on_a_later_parameter_is_refused() -> None:
    with pytest.raises(StudyError, match="not drawn before it"):
        Space((MARGIN, Toggle("ldam")))


def test_a_condition_that_never_holds_is_refused() -> None:
    with pytest.raises(StudyError, match="never has"):
        Space((Choice("loss", ("ce", "ldam")), Float("margin", 0.1, 0.8, when={"loss": "drw"})))


def test_a_parameter_stands_once_in_a_space() -> None:
    with pytest.raises(StudyError, match="twice"):
        Space((Toggle("ldam"), Toggle("ldam")))


def test_pinning_a_condition_settles_what_depends_on_it() -> None:
    assert SPACE.pinned({"ldam": False}).names == ("batch_size",)
    assert SPACE.pinned({"ldam": True}).get("ldam_max_margin") == Float("ldam_max_margin", 0.1, 0.8)


def test_the_corners_are_every_combination_of_options_and_ends_that_can_be_drawn() -> None:
    off = [{"ldam": False, "batch_size": size} for size in (32, 64)]
    on = [
        {"ldam": True, "ldam_max_margin": margin, "batch_size": size}
        for margin in (0.1, 0.8)
        for size in (32, 64)
    ]

    assert list(SPACE.corners()) == off + on


def test_a_number_that_a_condition_waits_for_is_a_corner_too() -> None:
    space = Space((Int("epochs", 3, 8), Toggle("ldam", when={"epochs": 5})))

    assert {"epochs": 5, "ldam": True} in space.corners()


def test_of_many_corners_every_pair_that_can_be_drawn_is_kept_and_no_other() -> None:
    toggles = [Toggle(f"toggle_{number}") for number in range(12)]
    space = Space((*toggles, Toggle("late", when={"toggle_0": True})))

    corners = list(space.corners())

    assert len(corners) < 400
    assert any(each.get("late") and each["toggle_11"] for each in corners)
    assert all(("late" in each) == each["toggle_0"] for each in corners)


def test_what_is_left_out_is_never_drawn_nor_what_waits_for_it() -> None:
    space = Space(
        (
            Choice("backbone", {"resnet50": 0.8, "resnet34": 0.1, "vit": 0.1}),
            Float("layer_decay", 0.5, 1.0, when={"backbone": "vit"}),
            Toggle("ldam", when={"backbone": "resnet34"}),
        )
    )
    left = space.without({"backbone": ["vit"]})
    assert left.names == ("backbone", "ldam")
    assert left.params[0] == Choice("backbone", {"resnet50": 0.8, "resnet34": 0.1})
    assert space.without({}) == space


def test_a_parameter_of_many_options_is_paired_with_others_and_not_with_itself() -> None:
    space = Space((Choice("size", tuple(range(300))), Toggle("ldam")))

    corners = list(space.corners())

    assert len(corners) == 300 + 600 + 2
    assert len({tuple(corner.items()) for corner in corners}) == 600
