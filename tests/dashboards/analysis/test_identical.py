"""Trials that should have started differently: when that is reported, and where."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import objectives.models.classifier as networks
from dashboards.analysis.frame import read_frame
from dashboards.analysis.identical import (
    IdenticalTrials,
    find_identical_trials,
    read_identical_trials,
)
from dashboards.analysis.snapshot import read_snapshot
from objectives import catalog
from objectives.contract import Attempt, DataSource
from search.terminal.status import print_status
from search.terminal.summary import summary
from spaces.data import Digits
from spaces.params import Choice, Int
from storage.store import Store
from tests.search.toy_worker import make_worker, take
from tests.storage.samples import new_worker

KNOWN = catalog.describe("image_classifier")
DEFAULTS = {name: field["default"] for name, field in KNOWN.fields.items()}
MEASURES = {name: KNOWN.metrics[name]["changed_by"] for name in ("first_loss", "first_step")}
SHARED = {"first_loss": 2.5, "first_step": 2.25}


def found(*trials: tuple[dict[str, Any], dict[str, float]]) -> list[IdenticalTrials]:
    configs = {number: {**DEFAULTS, **config} for number, (config, _) in enumerate(trials)}
    firsts = {number: metrics for number, (_, metrics) in enumerate(trials)}
    return find_identical_trials(configs, firsts, KNOWN.fields, MEASURES)


def test_two_backbones_that_begin_alike_are_reported_with_both_trials() -> None:
    other = ({"backbone": "resnet50"}, {"first_loss": 2.75, "first_step": 2.5})
    one, same = (({"backbone": name}, SHARED) for name in ("resnet18", "resnet34"))
    assert found(other, one, same) == [
        IdenticalTrials(
            key="backbone", values=("resnet18", "resnet34"), trials=(1, 2), metric="first_loss"
        )
    ]


def test_a_learning_rate_that_differs_does_not_hide_a_dead_backbone() -> None:
    one, other = (
        ({"backbone": name, "learning_rate": rate}, {"first_loss": 2.5, "first_step": step})
        for name, rate, step in (("resnet18", 1e-3, 2.25), ("resnet34", 1e-4, 2.4))
    )
    assert [(pair.key, pair.metric) for pair in found(one, other)] == [("backbone", "first_loss")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"epochs": 5}, {"epochs": 9}),
        ({"patience": 0}, {"patience": 3, "min_epochs": 2}),
        ({"drw_start": 0.5}, {"drw_start": 0.8}),
        ({"ldam_scale": 10.0}, {"ldam_scale": 30.0}),
        ({"weight_decay": 0.01}, {"weight_decay": 0.02}),
        ({}, {}),
        ({"backbone": "resnet34", "dropout": 0.1}, {}),
    ],
    ids=str,
)
def test_what_cannot_show_in_a_first_step_is_no_suspect(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert found((one, SHARED), (other, SHARED)) == []


def test_the_last_bit_counts_and_nan_does_not() -> None:
    close = {"first_loss": 2.5000000000000004, "first_step": float("nan")}
    nan = {"first_step": float("nan")}
    assert found(({}, close), ({"head": "hidden"}, SHARED)) == []
    assert found(({}, nan), ({"optimizer": "sgd"}, nan), ({"dropout": 0.1}, {})) == []


def test_each_key_is_reported_once() -> None:
    trials = [({"backbone": name, "ldam": ldam}, SHARED) for name in "abc" for ldam in (0, 1)]
    assert [pair.key for pair in found(*trials)] == ["ldam", "backbone"]


def test_a_head_that_a_bug_leaves_unread_is_found_in_real_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {"backbone": "small_cnn", "image_size": 16, "epochs": 1, "warmup_epochs": 0}
    configs = [
        {**small, "max_train_samples": 40, "max_val_samples": 20, "head": head, "learning_rate": lr}
        for head, lr in (("linear", 1e-3), ("hidden", 1e-4))
    ]

    def told() -> list[str]:
        trials = []
        for seed, config in enumerate(configs):
            attempt = Attempt(
                folder=tmp_path, data=DataSource(layout={"kind": "digits"}), seed=seed
            )
            result = next(iter(catalog.load("image_classifier")(config, attempt)))
            trials.append((config, dict(result.metrics)))
        return [pair.key for pair in found(*trials)]

    assert told() == []
    build_head = networks.build_head
    linear = KNOWN.fields["head"]["default"]
    monkeypatch.setattr(
        networks,
        "build_head",
        lambda recipe, *rest: build_head(type(recipe)(**{**vars(recipe), "head": linear}), *rest),
    )
    assert told() == ["head"]


@pytest.fixture
def begun(store: Store, tmp_path: Path) -> Store:
    """A study of which two trials began alike although their backbones differ."""
    worker = make_worker(
        store,
        tmp_path,
        objective="image_classifier",
        data=Digits(),
        fixed={"image_size": 32},
        space=[Choice("backbone", ("small_cnn", "resnet18")), Int("epochs", 4, 8)],
        enqueue=[{"backbone": "resnet18", "epochs": 5}],
    )
    store.register_worker("toy", new_worker("v"))
    for name in ("w", "v"):
        claim = take(replace(worker, name=name))
        with store.trial(claim) as trial:
            worker.study.space.suggest(trial)
        store.record(claim, 1, {"val_loss": 0.5, **SHARED}, 0.5, seconds=1.0, images=10)
    return store


def test_status_and_the_last_words_of_a_run_tell_of_identical_trials(begun: Store) -> None:
    line = (
        "backbone=small_cnn and backbone=resnet18 gave the same first_loss to the last bit in"
        " trials 0 and 1: is backbone read anywhere? Fix that, or stop searching it (D02)"
    )
    assert line in status_of(begun, as_json=False).splitlines()
    assert line in list(summary(read_frame(begun, "toy"), workers=1))


def test_programs_read_the_identical_trials(begun: Store) -> None:
    assert json.loads(status_of(begun, as_json=True))["identical_trials"] == [
        {
            "key": "backbone",
            "values": ["small_cnn", "resnet18"],
            "trials": [0, 1],
            "metric": "first_loss",
        }
    ]


def test_an_objective_without_a_first_step_has_no_identical_trials(
    store: Store, tmp_path: Path
) -> None:
    make_worker(store, tmp_path)
    assert read_identical_trials(store, read_snapshot(store, "toy")) == []


def status_of(store: Store, *, as_json: bool) -> str:
    console = Console(file=io.StringIO(), width=300)
    with console.capture() as capture:
        print_status(store, "toy", as_json=as_json, console=console)
    return capture.get()
