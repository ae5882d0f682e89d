"""Which trials are kin: those whose curves have the same shape."""

from collections.abc import Mapping
from typing import Any

import pytest

from objectives import catalog
from spaces.found import Found
from spaces.kin import OPTIONS, PHASES, kin_of
from spaces.params import Choice, Float, Int, Param, Toggle
from spaces.stored import StoredStudy
from spaces.study import Study

RATE = Float("learning_rate", 1e-5, 1e-1, log=True)


def study(*space: Param, **fixed: Any) -> StoredStudy:
    declared = {"name": "s", "objective": "image_classifier", "metric": "val_loss"}
    defaults = {"balancing": "none", "schedule": "cosine", "frozen_epochs": 0}
    return StoredStudy(
        Study(**declared, direction="minimize", space=[RATE, *space], fixed=fixed),  # type: ignore[arg-type]
        Found(defaults=defaults),
    )


def kin(stored: StoredStudy, drawn: Mapping[str, Any]) -> str:
    return kin_of(stored.study, stored.config({"learning_rate": 0.1, **drawn}))


@pytest.mark.parametrize(
    ("space", "drawn", "named"),
    [
        ([], {}, ""),
        ([Toggle("ldam")], {"ldam": True}, "ldam=true"),
        ([Choice("balancing", ("none", "ldam"))], {"balancing": "ldam"}, "balancing=ldam"),
        ([Int("frozen_epochs", 0, 4)], {"frozen_epochs": 0}, "frozen_epochs=0"),
        ([Int("frozen_epochs", 0, 4)], {"frozen_epochs": 3}, "frozen_epochs>0"),
        (
            [Choice("schedule", ("cosine", "plateau")), Toggle("weighted_sampler")],
            {"schedule": "plateau", "weighted_sampler": False},
            "weighted_sampler=false, schedule=plateau",
        ),
    ],
)
def test_trials_fall_into_kin_by_what_the_study_searches(
    space: list[Param], drawn: dict[str, Any], named: str
) -> None:
    assert kin(study(*space, balancing="ldam") if not space else study(*space), drawn) == named


def test_a_trial_that_draws_no_value_is_kin_by_the_settled_one() -> None:
    slow = Choice("schedule", ("constant", "cosine"), when={"ldam": True})
    assert kin(study(Toggle("ldam"), slow), {"ldam": False}) == "ldam=false, schedule=cosine"


@pytest.mark.parametrize("objective", ["image_classifier", "volume_classifier"])
def test_every_trait_is_a_hyperparameter(objective: str) -> None:
    assert {*OPTIONS, *PHASES} <= catalog.describe(objective).fields.keys()
