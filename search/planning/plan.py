"""A plan: the memory and time that a study will cost on this device, and what cannot fit."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from search.planning.costs import CostRow, combinations, make_rows, planned_epochs
from search.processes.devices import DeviceShare, most_workers
from search.processes.machine import device_class
from search.studies.prepare import Prepared
from search.studies.progress import Progress, silent
from spaces.stored import fingerprint


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The cost of a study on one kind of device.

    fingerprint: the study's; with another image size, for example, other backbones fit.
    workers: on all devices.
    per_device: how many of them share one.
    rows: one for each backbone and batch size.
    epochs: of a mean trial.
    trials: the budget.
    folds: how often a trial goes through its epochs, each time with a new network; 0 is once.
    """

    study: str
    fingerprint: str
    device_class: str
    workers: int
    rows: Sequence[CostRow]
    epochs: float
    trials: int
    folds: int = 0
    per_device: int = 1

    @property
    def most_per_device(self) -> int:
        """The number of workers that fit on one device by their memory, every batch in one piece.

        Backbones that do not fit at all are not asked.
        """
        fitting = {row.backbone for row in self.rows if row.fits or row.alone_bytes}
        device = self.device_class.partition(":")[0]
        return min(
            (
                most_workers(row.alone_bytes, row.device_bytes, device) if row.alone_bytes else 1
                for row in self.rows
                if row.backbone in fitting
            ),
            default=1,
        )

    @property
    def crowded(self) -> list[CostRow]:
        """The rows of which a whole batch fits for one worker, and not for those planned."""
        return [row for row in self.rows if row.alone_bytes > row.cost.capacity_bytes]

    @property
    def excluded(self) -> list[str]:
        """The backbones of which not even one image fits, whatever the batch size."""
        backbones = dict.fromkeys(row.backbone for row in self.rows)
        fitting = {row.backbone for row in self.rows if row.fits}
        return [backbone for backbone in backbones if backbone not in fitting]

    @property
    def trial_seconds(self) -> float:
        """The seconds of a mean trial with all its folds, the rows weighted by their share."""
        rows = [row for row in self.rows if row.fits]
        whole = sum(row.weight for row in rows)
        if not whole:
            return 0.0
        mean = sum(row.weight / whole * row.epoch_seconds for row in rows)
        return max(1, self.folds) * self.epochs * mean

    @property
    def hours(self) -> float:
        """The hours until all workers together have spent the budget, if nothing is pruned."""
        return self.trials * self.trial_seconds / self.workers / 3600


def measure_plan(
    prepared: Prepared, shares: Sequence[DeviceShare], progress: Progress = silent
) -> Plan:
    """Measure every backbone and batch size of the space, which may take minutes.

    shares: the device of each worker; the first one is measured.
    Raises StudyError for an objective that has no backbone.
    """
    wanted, rows = combinations(prepared.stored), []
    for row in make_rows(prepared, shares[0]):
        rows.append(row)
        progress("measuring", len(rows), len(wanted))
    order = [(config["backbone"], config["batch_size"]) for config, _ in wanted]
    rows.sort(key=lambda row: order.index((row.backbone, row.batch_size)))
    study = prepared.study
    return Plan(
        study=study.name,
        fingerprint=fingerprint(prepared.stored),
        device_class=device_class(shares[0].device),
        workers=len(shares),
        rows=rows,
        epochs=planned_epochs(prepared.stored),
        trials=study.trials,
        folds=study.folds,
        per_device=shares[0].sharers,
    )


def as_mapping(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain JSON."""
    return {
        **asdict(plan),
        "excluded": plan.excluded,
        "most_per_device": plan.most_per_device,
        "trial_seconds": plan.trial_seconds,
        "hours": plan.hours,
    }
