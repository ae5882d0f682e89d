"""The interval of a trial's value, wherever it is shown."""

from pathlib import Path
from typing import Literal

import pytest

from dashboards.analysis import numbers
from dashboards.analysis.listing import StudiesReader
from dashboards.analysis.overview import OverviewReader
from dashboards.analysis.trials.measures import interval_of
from dashboards.live.panels.tiles import tiles
from dashboards.live.view import View
from storage.store import Store
from tests.dashboards.analysis.toy_trials import begin_trial, make_study
from tests.storage.samples import finished

BY_EPOCH = {1: (0.3, 0.4), 2: (0.5, 0.6)}  # the best epoch, and the last one


@pytest.mark.parametrize(("value", "epoch"), [("best", 1), ("last", 2)])
def test_the_list_and_the_page_show_the_interval_of_the_epoch_that_counts(
    store: Store, tmp_path: Path, value: Literal["best", "last"], epoch: int
) -> None:
    study = make_study(store, value=value)
    claim = begin_trial(store)
    for number, (low, high) in BY_EPOCH.items():
        metrics = {"val_loss": low + 0.05, "val_loss_low": low, "val_loss_high": high}
        store.record(claim, number, metrics, low + 0.05, seconds=1.0, images=10)
    store.tell(claim, finished(BY_EPOCH[epoch][0] + 0.05))

    [line] = StudiesReader(store).read()
    overview = OverviewReader(store, "toy", str(tmp_path)).read()
    [best] = [tile for tile in tiles(overview, View()) if tile.name == "best"]
    assert (line.low, line.high) == BY_EPOCH[epoch]
    assert best.small == numbers.interval(*BY_EPOCH[epoch])
    assert interval_of(study, store.trials("toy")[0]) == BY_EPOCH[epoch]
