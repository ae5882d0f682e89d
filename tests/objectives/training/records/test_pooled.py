"""Folds: k networks one after the other, and their pooled result."""

import math
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import bootstrap
from sklearn.metrics import roc_auc_score

from objectives import catalog
from objectives.contract import Attempt, DataSource, EpochResult
from objectives.data.manifest.manifest import read_manifest
from objectives.files.checkpoints import newest_good
from objectives.groups.draws import all_draws
from objectives.groups.table import read_groups
from objectives.image_classifier import train
from objectives.training.feed.order import in_fold
from objectives.training.records.best import Best
from objectives.training.records.pooled import pooled_auc

THREE = DataSource(layout={"kind": "digits"}, folds=3)
QUICK = {
    "backbone": "small_cnn",
    "image_size": 16,
    "batch_size": 64,
    "epochs": 2,
    "learning_rate": 3e-3,
    "augmentation": "shift",
}
SAMPLED = {**QUICK, "max_train_samples": 200, "max_val_samples": 100}


def attempt(folder: Path, **more) -> Attempt:
    folder.mkdir(exist_ok=True)
    return Attempt(folder=folder, data=THREE, seed=7, threads=1, **more)


def exact(results: list[EpochResult]) -> list[dict[str, float]]:
    metrics = catalog.describe("image_classifier").metrics
    return [
        {name: value for name, value in result.metrics.items() if metrics[name]["exact"]}
        for result in results
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[EpochResult]]:
    """A trial of three folds of two epochs on samples."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, list(train(SAMPLED, attempt(folder)))


def test_epochs_run_on_through_the_folds_and_say_where_they_stand(whole) -> None:
    _, results = whole
    assert [result.epoch for result in results] == [1, 2, 3, 4, 5, 6]
    place = [
        tuple(result.metrics[name] for name in ("fold", "fold_epoch", "folds_done"))
        for result in results
    ]
    assert place == [(1, 1, 0), (1, 2, 1), (2, 1, 1), (2, 2, 2), (3, 1, 2), (3, 2, 3)]


@pytest.mark.usefixtures("no_picture")
@pytest.mark.parametrize("killed_after", [1, 2, 3, 6])
def test_a_trial_killed_anywhere_comes_back_to_the_bit(
    whole, tmp_path: Path, killed_after: int
) -> None:
    folder, undisturbed = whole
    killed = list(islice(train(SAMPLED, attempt(tmp_path / "first")), killed_after))
    checkpoint = newest_good([tmp_path / "first"])
    resumed = list(train(SAMPLED, attempt(tmp_path / "second", resume_from=checkpoint)))
    assert resumed[:killed_after] == killed
    assert exact(resumed) == exact(undisturbed)
    again, kept = (np.load(each / "best_logits.npz") for each in (tmp_path / "second", folder))
    assert all(np.array_equal(again[name], kept[name]) for name in kept.files)
    weights, expected = (torch.load(each / "best.pt") for each in (tmp_path / "second", folder))
    assert weights["fold"] == expected["fold"] == 3
    assert all(value.equal(expected["model"][name]) for name, value in weights["model"].items())


@pytest.mark.usefixtures("no_picture")
def test_every_image_that_is_not_for_the_test_is_validated_once(tmp_path: Path) -> None:
    config = {**QUICK, "epochs": 1, "warmup_epochs": 0, "max_train_samples": 64}
    list(train(config, attempt(tmp_path)))
    kept, rows = np.load(tmp_path / "best_logits.npz"), read_manifest(THREE).rows
    expected = {row.path: (row.fold, row.class_index) for row in rows if row.split != "test"}
    found = zip(kept["paths"], zip(kept["folds"], kept["labels"], strict=True), strict=True)
    assert len(kept["paths"]) == len(expected) < len(rows)
    assert {str(path): tuple(map(int, each)) for path, each in found} == expected


def test_each_fold_starts_another_network_from_the_trials_seed(tmp_path: Path) -> None:
    seeds = [in_fold(attempt(tmp_path), fold).seed for fold in (1, 2, 3)]
    assert len({*seeds, 7}) == 4
    plain = Attempt(folder=tmp_path, data=DataSource(layout={"kind": "digits"}), seed=7)
    assert in_fold(plain, 1) is plain


@pytest.mark.usefixtures("no_picture")
def test_each_fold_runs_out_of_its_own_patience(tmp_path: Path) -> None:
    config = {**SAMPLED, "epochs": 30, "learning_rate": 1e-8, "patience": 1}
    results = list(train({**config, "warmup_epochs": 0}, attempt(tmp_path)))
    assert [result.epoch for result in results] == list(range(1, len(results) + 1))
    for fold in (1, 2, 3):
        losses = [each.metrics["val_loss"] for each in results if each.metrics["fold"] == fold]
        assert 1 < len(losses) < 30
        assert losses[-1] >= min(losses[:-1])


def test_the_pooled_auc_is_that_of_all_folds_calibrated_and_ranked_together(whole) -> None:
    folder, results = whole
    kept = np.load(folder / "best_logits.npz")
    # Of the last epochs: the best ones were chosen on these very images.
    temperatures = [results[epoch - 1].metrics["val_temperature"] for epoch in (2, 4, 6)]
    scaled = kept["last_logits"] / np.array(temperatures)[kept["folds"] - 1, None]
    odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    expected = roc_auc_score(kept["labels"], probabilities, multi_class="ovr")
    last = results[-1].metrics
    assert last["pooled_auc"] == pytest.approx(expected, abs=1e-9)
    assert last["pooled_auc_low"] < expected < last["pooled_auc_high"]


def test_it_stands_from_the_end_of_the_first_fold_on_until_the_next_one_ends(whole) -> None:
    _, results = whole
    pooled = [result.metrics.get("pooled_auc") for result in results]
    assert pooled[0] is None
    assert pooled[1] == pooled[2] != pooled[3] == pooled[4]


def predictions(images: int, copies: int = 1) -> Best:
    """Give two classes that overlap; each image so many times in its own group."""
    random = np.random.default_rng(5)
    labels = np.arange(images) % 2
    scores = random.normal(labels * 1.2, 1.0)
    logits = torch.from_numpy(np.stack([-scores, scores], axis=1)).repeat_interleave(copies, dim=0)
    groups = [f"patient {number}" for number in range(images) for _ in range(copies)]
    return Best(
        epoch=1,
        model={},
        logits=logits,
        labels=torch.from_numpy(labels).repeat_interleave(copies),
        groups=groups,
    )


def test_images_of_one_group_are_drawn_together_and_narrow_nothing() -> None:
    alone, fivefold = pooled_auc([predictions(60)]), pooled_auc([predictions(60, copies=5)])
    assert fivefold == pytest.approx(alone, abs=1e-12)
    strangers = predictions(60, copies=5)
    groups = [str(number) for number in range(300)]
    narrow = pooled_auc(
        [Best(epoch=1, model={}, logits=strangers.logits, labels=strangers.labels, groups=groups)]
    )
    width = narrow["pooled_auc_high"] - narrow["pooled_auc_low"]
    assert width < 0.6 * (alone["pooled_auc_high"] - alone["pooled_auc_low"])


def test_the_interval_is_the_percentile_bootstraps() -> None:
    best = predictions(80)
    scores, labels = best.logits[:, 1].numpy(), best.labels.numpy()

    def auc(rows):
        return roc_auc_score(labels[rows], scores[rows])

    drawn = bootstrap(
        (np.arange(80),), auc, method="percentile", n_resamples=600, vectorized=False, rng=1
    ).confidence_interval
    ours = pooled_auc([best])
    assert ours["pooled_auc"] == pytest.approx(auc(np.arange(80)), abs=1e-9)
    assert ours["pooled_auc_low"] == pytest.approx(drawn.low, abs=0.02)
    assert ours["pooled_auc_high"] == pytest.approx(drawn.high, abs=0.02)


def test_tied_scores_count_as_half_a_pair() -> None:
    # One group: every draw is all of it. Right .5, tied .25 * 1, wrong .25: (2 + .5 * 1) / 4.
    scores = torch.tensor([[0.0, 1.0], [0.0, 3.0], [0.0, 1.0], [0.0, 0.0]])
    best = Best(
        epoch=1, model={}, logits=scores, labels=torch.tensor([1, 1, 0, 0]), groups=["a"] * 4
    )
    assert set(pooled_auc([best]).values()) == {0.875}


def test_where_a_logit_is_no_number_there_is_no_auc() -> None:
    broken = Best(
        epoch=1,
        model={},
        logits=torch.full((4, 2), math.nan),
        labels=torch.tensor([1, 1, 0, 0]),
        groups=["a"] * 4,
    )
    assert all(math.isnan(value) for value in pooled_auc([broken]).values())


def test_the_tables_are_of_all_folds(whole) -> None:
    folder, _ = whole
    curves = (folder / "learning_curves.csv").read_text().splitlines()
    at = curves[0].split(",").index("fold")
    assert [float(row.split(",")[at]) for row in curves[1:]] == [1, 1, 2, 2, 3, 3]
    counts = [row.split(",")[1] for row in (folder / "per_class.csv").read_text().splitlines()[1:]]
    assert sum(map(int, counts)) == 300
    assert read_groups((folder / "groups.csv").read_text()).images.sum() == 300


def test_an_epochs_interval_is_of_its_folds_images(whole) -> None:
    folder, results = whole
    kept, metrics = np.load(folder / "best_logits.npz"), results[-1].metrics
    here = kept["folds"] == 3
    losses = torch.nn.functional.cross_entropy(
        torch.from_numpy(kept["last_logits"][here]).double() / metrics["val_temperature"],
        torch.from_numpy(kept["labels"][here]),
        reduction="none",
    ).numpy()
    # Each digit is a group of its own, and the draws go through the groups in the order of names.
    losses = losses[np.argsort(kept["groups"][here])]
    ends = np.percentile(all_draws(100) @ losses / 100, (2.5, 97.5))
    assert [metrics["val_loss_low"], metrics["val_loss_high"]] == pytest.approx(ends, abs=1e-6)
