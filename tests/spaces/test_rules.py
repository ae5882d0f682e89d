"""The rules: what they find in a study, by id, and that the shipped ones pass."""

from typing import Any

import pytest

from objectives import catalog
from spaces.data import NoData
from spaces.load import load_study, shipped_studies
from spaces.params import Choice, Float, Int, Toggle
from spaces.rules import check
from spaces.study import Study

KNOWN = catalog.describe("image_classifier")


def found(**changes: Any) -> dict[str, str]:
    declared: dict[str, Any] = {
        "name": "small",
        "objective": "image_classifier",
        "data": NoData(),
        "metric": "val_loss",
        "direction": "minimize",
        "space": [Float("learning_rate", 1e-5, 1e-2, log=True)],
    }
    findings = check(Study(**declared | changes), KNOWN.fields, KNOWN.metrics)
    return {finding.rule: finding.message for finding in findings}


@pytest.mark.parametrize("name", shipped_studies())
def test_a_shipped_study_breaks_no_rule(name: str) -> None:
    study = load_study(name)

    for each in (study, study.for_practice()):
        findings = check(each, KNOWN.fields, KNOWN.metrics)
        assert [finding for finding in findings if finding.level == "error"] == []


def test_a_plain_study_is_found_nothing_wrong_with() -> None:
    assert found() == {}


@pytest.mark.parametrize(
    ("rule", "change", "says"),
    [
        ("D01", {"fixed": {"lr": 0.1}}, "did you mean 'learning_rate'"),
        ("D01", {"space": [Choice("backbon", ("resnet50",))]}, "did you mean 'backbone'"),
        ("D01", {"fixed": {"backbone": 50}}, "not one of"),
        ("D01", {"fixed": {"schedule": "cosin"}}, "not one of"),
        ("D01", {"space": [Int("batch_size", 0, 64)]}, "batch_size=0"),
        ("D01", {"fixed": {"epochs": 2.5}}, "a whole number"),
        ("D02", {"space": [Float("ldam_max_margin", 0.1, 0.8)]}, "or ldam=True"),
        (
            "D02",
            {"space": [Toggle("ldam"), Float("ldam_max_margin", 0.1, 0.8, when={"ldam": False})]},
            "or ldam=True",
        ),
        ("D04", {"space": [Toggle("ldam"), Toggle("weighted_sampler")]}, "twice"),
        ("D04", {"fixed": {"ldam": True}, "space": [Toggle("weighted_sampler")]}, "twice"),
        ("O01", {"direction": "maximize"}, "minimize"),
        ("O01", {"metric": "val_accuracy", "direction": "maximize"}, "reports no"),
        ("O03", {"metric": "val_criterion", "space": [Toggle("ldam")]}, "use val_loss"),
        (
            "O03",
            {"metric": "val_criterion", "space": [Float("label_smoothing", 0.0, 0.2)]},
            "label_smoothing",
        ),
    ],
)
def test_each_rule_finds_its_own(rule: str, change: dict[str, Any], says: str) -> None:
    assert says in found(**change)[rule]


@pytest.mark.parametrize(
    "change",
    [
        {"space": [Toggle("ldam"), Toggle("weighted_sampler", when={"ldam": False})]},
        {"space": [Toggle("ldam"), Float("ldam_max_margin", 0.1, 0.8, when={"ldam": True})]},
        {
            "space": [
                Choice("backbone", ("resnet18", "resnet34")),
                Toggle("ldam", when={"backbone": "resnet18"}),
                Float("label_smoothing", 0.0, 0.2, when={"backbone": "resnet34"}),
            ]
        },
        {"metric": "val_criterion", "fixed": {"ldam": True}},
    ],
    ids=["either LDAM or the sampler", "its own condition", "never LDAM there", "one criterion"],
)
def test_what_no_trial_can_draw_breaks_no_rule(change: dict[str, Any]) -> None:
    assert found(**change) == {}
