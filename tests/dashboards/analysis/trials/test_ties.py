"""Which of the best trials cannot be told from the best one, from tables in a real store."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from dashboards.analysis.snapshot import read_snapshot
from dashboards.analysis.trials import ties
from dashboards.analysis.trials.kept import KeptTables
from dashboards.analysis.trials.ties import FEWEST, Basis, Ties, TiesReader
from objectives.contract import GROUPS
from storage.artifacts import artifact_store, keep
from storage.store import Store
from tests.dashboards.analysis.toy_trials import begin_trial, make_study
from tests.storage.samples import finished

COUNT, IMAGES = 40, 10
# Slides differ a lot in how hard they are, much more than two trials do.
HARD = np.random.default_rng(0).uniform(1.0, 4.0, COUNT)
NOISE = np.random.default_rng(1).normal(0, 0.2, COUNT)

Finish = Callable[..., None]


def table(losses: np.ndarray, right: int = 8) -> str:
    """Return groups.csv of a split of one class, from each group's mean loss."""
    rows = [
        f"slide {n},tumour,{IMAGES},{right},{IMAGES * loss:.7f}" for n, loss in enumerate(losses)
    ]
    return "\n".join(["group,class,images,right,loss", *rows]) + "\n"


@pytest.fixture
def finish(store: Store, tmp_path: Path) -> Finish:
    def finish(value: float, groups: str = "", metrics: Mapping[str, float] | None = None) -> None:
        """End a trial with a value, the table that it kept, and the metrics of its epoch."""
        claim, links = begin_trial(store), {}
        store.record(claim, 1, metrics or {}, value, seconds=1.0, images=10)
        if groups:
            path = tmp_path / GROUPS
            path.write_text(groups)
            links = keep(artifact_store(str(tmp_path / "artifacts")), claim, path)
        store.tell(claim, finished(value, links=links))

    return finish


@pytest.fixture
def read(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Ties]:
    monkeypatch.setattr(ties, "LOOK_SECONDS", 60.0)  # on a busy machine as well
    reader = TiesReader(KeptTables(str(tmp_path / "artifacts"), "toy"))
    return lambda: reader.read(store, read_snapshot(store, "toy"))


def test_trials_are_compared_over_the_same_groups(
    store: Store, finish: Finish, read: Callable[[], Ties]
) -> None:
    make_study(store)
    for losses in (HARD, HARD + NOISE - NOISE.mean() + 0.001, HARD + 0.05):
        finish(float(losses.mean()), table(losses))

    found = read()

    # The third one is .05 worse on every slide: much less than slides differ, and still certain.
    assert found.tied == {1}
    assert found.bases == {Basis.GROUPS}
    assert (found.is_whole, found.groups) == (True, COUNT)
    assert found.trials[2].difference == pytest.approx(0.05)
    assert found.trials[2].low == pytest.approx(0.05)
    assert (found.trials[0].weakest, found.trials[0].recall) == ("tumour", 0.8)
    assert read() == found


def test_over_too_few_groups_nothing_is_compared(
    store: Store, finish: Finish, read: Callable[[], Ties]
) -> None:
    make_study(store)
    for losses in (HARD[:2], HARD[:2] + 0.001, HARD[:2] + 0.05):
        finish(float(losses.mean()), table(losses), {"val_loss_low": 0.0, "val_loss_high": 9.0})

    found = read()

    assert (found.tied, found.bases) == (frozenset(), frozenset())
    assert (found.has_few_groups, found.groups) == (True, 2)


def test_without_the_tables_a_trial_is_compared_with_the_interval_of_the_best(
    store: Store, finish: Finish, read: Callable[[], Ties]
) -> None:
    make_study(store)
    finish(0.30, metrics={"val_loss_low": 0.28, "val_loss_high": 0.33})
    finish(0.32)
    finish(0.34, table(HARD))

    found = read()

    assert found.tied == {1}
    assert found.bases == {Basis.INTERVAL}
    assert found.groups == 0


def test_a_table_of_another_epoch_is_not_compared(
    store: Store, finish: Finish, read: Callable[[], Ties]
) -> None:
    make_study(store)
    for value in (0.3, 0.4, 0.5):
        finish(value, table(HARD))

    assert read().bases == frozenset()
    assert read().tied == frozenset()


def test_nothing_is_tied_before_three_trials_have_finished_or_with_folds(
    store: Store, finish: Finish, read: Callable[[], Ties]
) -> None:
    make_study(store)
    for _ in range(FEWEST - 1):
        finish(float(HARD.mean()), table(HARD))

    few = read()

    assert (few.tied, few.bases, few.is_whole) == (frozenset(), frozenset(), False)
    assert few.trials[0].recall == 0.8


def test_a_study_with_folds_claims_no_ties(
    store: Store, finish: Finish, read: Callable[[], Ties]
) -> None:
    make_study(store, folds=5, objective="volume_classifier", metric="val_macro_auc")
    for _ in range(FEWEST):
        finish(0.5, table(HARD), {"val_macro_auc_low": 0.4, "val_macro_auc_high": 0.6})

    assert read() == Ties()


def test_balanced_accuracy_and_top1_are_compared_over_the_groups_as_well(
    store: Store, finish: Finish, read: Callable[[], Ties]
) -> None:
    make_study(store, metric="val_top1", direction="maximize")
    for right in (8, 7, 8):
        finish(right / IMAGES, table(HARD, right))

    found = read()

    assert [each.trial for each in found.trials] == [0, 2, 1]
    assert found.tied == {2}
    assert found.trials[2].difference == pytest.approx(-0.1)


def test_trials_that_take_long_to_compare_are_left_to_the_next_looks(
    store: Store, finish: Finish, read: Callable[[], Ties], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_study(store)
    for _ in range(FEWEST):
        finish(float(HARD.mean()), table(HARD))
    monkeypatch.setattr(ties, "LOOK_SECONDS", -1.0)

    first = read()
    monkeypatch.setattr(ties, "LOOK_SECONDS", 60.0)

    assert (len(first.trials), first.is_whole, first.tied) == (1, False, frozenset())
    assert read().tied == {1, 2}
