"""An export of a small trial, for tests to damage and to train again."""

from collections.abc import Mapping
from typing import Any

from objectives import catalog
from objectives.contract import DataSource
from search.exports.exported import (
    Exported,
    ExportedData,
    ExportedEpoch,
    ExportedValue,
    TrainedOn,
)
from search.processes.machine import describe_machine


def make_export(
    objective: str, config: Mapping[str, Any], layout: Mapping[str, Any], last: ExportedEpoch
) -> Exported:
    """Build the export of a trial without folds whose last epoch is its best."""
    data = ExportedData(
        layout=layout,
        split_seed=0,
        folds=0,
        has_test=True,
        fingerprint=catalog.read_data(objective, DataSource(layout=layout)).fingerprint,
        splits=None,
    )
    value = ExportedValue(
        metric="val_loss", direction="minimize", of="best", value=last.metrics["val_loss"]
    )
    return Exported(
        study="small",
        trial=3,
        outcome="finished",
        badges=(),
        practice_data=False,
        objective=objective,
        config=config,
        searched=("learning_rate",),
        weights={},
        seed=7,
        data=data,
        skipped_checks=(),
        accepted_versions=(),
        test_uses=0,
        value=value,
        value_epochs=(last,),
        last_epoch=last,
        trained_on=TrainedOn(device="cpu", threads=1, **describe_machine("cpu")),
        threads_of_attempts=(1,),
    )
