"""The rules: their findings by id, and no error in the shipped studies."""

from typing import Any

import pytest

from objectives import catalog
from objectives.contract import RecipeError
from spaces.data import NoData, Table
from spaces.load import load_study, shipped_studies
from spaces.params import Choice, Float, Int, Toggle
from spaces.priors import Prior
from spaces.rules.check import check
from spaces.rules.finding import Finding
from spaces.space import TrialConfig
from spaces.study import Practice, Pruning, Study

KNOWN = catalog.describe("image_classifier")
# What a shipped study warns of: published spaces that are kept as their teams searched them.
WARNINGS = {"gleason": ["D04"]}
DRW = {"balancing": "ldam_drw", "epochs": 40, "patience": 10, "min_epochs": 15}


def findings(**changes: Any) -> list[Finding]:
    declared: dict[str, Any] = {
        "name": "small",
        "objective": "image_classifier",
        "data": NoData(),
        "metric": "val_loss",
        "direction": "minimize",
        "space": [Float("learning_rate", 1e-5, 1e-2, log=True)],
    }
    return check(Study(**declared | changes), KNOWN.fields, KNOWN.metrics, schedule)


def found(**changes: Any) -> dict[str, str]:
    return {finding.rule: finding.message for finding in findings(**changes)}


def schedule(config: TrialConfig, objective: str = "image_classifier") -> dict[str, int] | None:
    try:
        return catalog.schedule(objective, config)
    except RecipeError:
        return None


def test_a_prior_that_leaves_more_than_a_third_of_the_range_is_not_warned_of() -> None:
    for center in (0.02, 0.1, 0.25, 0.48):
        narrow = Float("dropout", 0.0, 0.5, prior=Prior(center, "high"))
        assert "D07" not in found(space=[narrow, Toggle("ldam", prior=0.98)])


def test_a_baseline_that_asks_no_prior_is_not_warned_of_a_narrow_one() -> None:
    narrow = Float("dropout", 0.0, 0.5, prior=Prior(0.0, "high"))

    assert "D07" in found(space=[narrow])
    assert "D07" not in found(space=[narrow], sampler="random")


@pytest.mark.parametrize("name", shipped_studies())
def test_a_shipped_study_breaks_no_rule_and_warns_of_what_is_listed(name: str) -> None:
    study = load_study(name)
    known = catalog.describe(study.objective)

    broken = check(
        study, known.fields, known.metrics, lambda config: schedule(config, study.objective)
    )

    assert [finding.rule for finding in broken] == WARNINGS.get(name, [])


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
        ("D01", {"space": [Choice("batch_size", ("32", "64"))]}, "; write 64 without quotes"),
        ("D01", {"space": [Choice("ldam", ("true", "false"))]}, "search Toggle('ldam')"),
        (
            "D01",
            {"space": [Choice("optimizer", {"adamx": 0.8, "sgd": 0.2})]},
            "did you mean 'adam'",
        ),
        ("D02", {"space": [Float("ldam_max_margin", 0.1, 0.8)]}, "or ldam=True"),
        (
            "D02",
            {"space": [Toggle("ldam"), Float("ldam_max_margin", 0.1, 0.8, when={"ldam": False})]},
            "or ldam=True",
        ),
        ("D04", {"space": [Toggle("ldam"), Toggle("weighted_sampler")]}, "twice"),
        ("D04", {"fixed": {"ldam": True}, "space": [Toggle("weighted_sampler")]}, "twice"),
        (
            "D04",
            {"space": [Choice("balancing", ("none", "class_weights")), Toggle("ldam")]},
            "LDAM and balancing=class_weights",
        ),
        ("D02", {"fixed": {"hidden_units": 64}}, "hidden_units=64 is fixed"),
        ("D02", {"enqueue": [{"dropout": 0.3}], "fixed": {"dropout": 0.1}}, "fixed at 0.1"),
        (
            "D02",
            {
                "space": [Toggle("ldam"), Float("ldam_scale", 10, 30, when={"ldam": True})],
                "enqueue": [{"ldam": False, "ldam_scale": 15}],
            },
            "needs ldam=True",
        ),
        ("D05", {"fixed": {"ldam": True}, "space": [Int("batch_size", 2, 8)]}, "batches of 2"),
        ("D05", {"space": [Float("head_multiple", 1.0, 10.0)]}, "head_multiple 10"),
        ("D05", {"fixed": {"head_multiple": 6.0}}, "at 5 or less"),
        (
            "D07",
            {"space": [Float("learning_rate", 1e-5, 0.1, prior=Prior(1e-4, "high"))]},
            "99% of its draws at 1e-05 to 0.032, 32% of the range, so that hardly a trial tries the"
            ' rest; add log=True, say "medium", or narrow the range',
        ),
        ("D07", {"space": [Float("dropout", 0, 0.5, prior=Prior(0, "high"))]}, "rest; say"),
        ("D07", {"space": [Toggle("ldam", prior=0.995)]}, "True, one of 2 options, 99.5%"),
        ("O01", {"direction": "maximize"}, "minimize"),
        ("O01", {"metric": "val_accuracy", "direction": "maximize"}, "reports no"),
        (
            "O01",
            {"metric": "pooled_auc", "direction": "maximize"},
            "not known after each epoch; use",
        ),
        ("O01", {"metric": "first_loss"}, "not known after each epoch; use"),
        ("O01", {"metric": "val_acc"}, "did you mean 'val_top1'?"),
        ("O01", {"metric": "valAccuracy"}, "did you mean 'val_top1'?"),
        ("O01", {"metric": "val_auc"}, "did you mean 'val_macro_auc'?"),
        ("O01", {"metric": "F1-score"}, "did you mean 'val_macro_f1'?"),
        ("O01", {"metric": "loss"}, "did you mean 'val_loss'?"),
        ("O01", {"metric": "val_los"}, "did you mean 'val_loss'?"),
        ("O01", {"metric": "kappa", "direction": "maximize"}, "use one of val_top1, val_top3"),
        ("C14", {"metric": "test_accuracy"}, "use val_top1"),
        ("C14", {"metric": "test_kappa", "direction": "maximize"}, "use val_top1 or val_top3"),
        ("O03", {"metric": "val_criterion", "space": [Toggle("ldam")]}, "use val_loss"),
        (
            "O03",
            {"metric": "val_criterion", "space": [Float("label_smoothing", 0.0, 0.2)]},
            "label_smoothing",
        ),
        ("C14", {"metric": "test_top1", "direction": "maximize"}, "use val_top1"),
        (
            "C14",
            {"data": Table({"train": "Train.xlsx", "val": "Test.xlsx"}, label="dx")},
            "call that split 'test'",
        ),
        (
            "C14",
            {"data": Table({"train": "a.csv", "val": "isic_test2.csv"}, label="dx")},
            "the val images are those of 'isic_test2.csv'",
        ),
        (
            "C14",
            {"data": Table({"train": "a.csv", "val": "b.csv", "test": "b.csv"}, label="dx")},
            "the val images are those of 'b.csv'",
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
        {"space": [Toggle("ldam")], "fixed": {"ldam_scale": 10.0, "batch_size": 4}},
        {"data": Table({"train": "Train.xlsx", "test": "Test.xlsx"}, label="dx")},
        {"data": Table({"train": "latest.csv", "val": "LATEST_val.csv"}, label="dx")},
    ],
    ids=[
        *("either LDAM or the sampler", "its own condition", "never LDAM there", "one criterion"),
        *("fixed for some trials", "a table of the sealed test"),
        "a test in a longer word",
    ],
)
def test_what_no_trial_can_draw_breaks_no_rule(change: dict[str, Any]) -> None:
    assert found(**change) == {}


@pytest.mark.parametrize(
    "acts",
    [
        {"min_epochs": 33},
        {"drw_start": 0.35},
        {"patience": 0, "min_epochs": 0},
        {"patience": 32, "min_epochs": 0},
        {"frozen_epochs": 22},
        {"balancing": "ldam"},
    ],
    ids=str,
)
def test_reweighting_that_early_stopping_cannot_forestall_is_fine(acts: dict[str, Any]) -> None:
    assert "D03" not in found(fixed={**DRW, **acts})


@pytest.mark.parametrize(
    "change",
    [
        {"fixed": DRW},
        {"fixed": {**DRW, "frozen_epochs": 21}},
        {"fixed": {**DRW, "patience": 31, "min_epochs": 32}},
        {
            "fixed": {"epochs": 40, "patience": 10, "min_epochs": 15},
            "space": [Choice("balancing", ("none", "ldam_drw"))],
        },
        {
            "fixed": {**DRW, "min_epochs": 0},
            "space": [Float("drw_start", 0.1, 0.9)],
        },
        {
            "fixed": {"balancing": "ldam_drw", "min_epochs": 5},
            "space": [Int("epochs", 5, 20), Int("patience", 0, 3)],
        },
    ],
    ids=["fixed", "thawed early", "one epoch short", "a choice", "a share", "a long schedule"],
)
def test_reweighting_after_early_stopping_can_end_training_is_an_error(
    change: dict[str, Any],
) -> None:
    assert "early stopping" in found(**change)["D03"]


def test_each_way_out_of_late_reweighting_that_is_named_is_one() -> None:
    assert "set min_epochs to 33 or drw_start to 0.35 or less" in found(fixed=DRW)["D03"]


def test_a_rung_before_unfreezing_and_two_more_epochs_is_an_error() -> None:
    phases = {"epochs": 20, "frozen_epochs": 5, "trained_stages": 2, "epochs_per_stage": 1}
    early, settled = (Pruning("median", first_epoch=epoch) for epoch in (7, 8))  # all learn after 6
    assert "set first_epoch to 8" in found(fixed=phases, pruning=early)["D03"]
    assert "D03" not in found(fixed=phases, pruning=settled)
    for rule in ("none", "rungs"):  # a rung lies behind both
        assert "D03" not in found(fixed=phases, pruning=Pruning(rule, first_epoch=7))


def test_a_rung_that_no_trial_reaches_is_an_error() -> None:
    searched = [Int("epochs", 5, 20)]
    median = Pruning("median", first_epoch=20)
    assert "beyond epoch 20" in found(space=searched, pruning=median)["D03"]
    assert "D03" not in found(space=searched, pruning=Pruning("median", first_epoch=19))
    late = found(space=searched, pruning=Pruning(first_epoch=15))["D03"]
    assert "the last rung of any trial is at epoch 14, so nothing is ever pruned; set" in late
    assert "D03" not in found(space=searched, pruning=Pruning(first_epoch=14))


def test_what_only_the_practice_form_breaks_is_found_beside_the_rest_and_once() -> None:
    toggles = [Toggle("ldam"), Toggle("weighted_sampler")]
    both = findings(space=toggles, practice=Practice(fixed={"lr": 0.1, "image_size": 32}))
    assert [(each.rule, each.level) for each in both] == [("D01", "error"), ("D04", "warn")]
    assert both[0].message.startswith("on practice data, image_classifier has no parameter 'lr'")


def test_only_metrics_that_may_rank_trials_are_proposed() -> None:
    said = found(metric="kappa")["O01"]
    assert "val_top1" in said
    assert "compute_s" not in said
    assert "fold" not in said
