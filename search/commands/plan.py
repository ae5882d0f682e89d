"""`search plan`: the cost of a study on this device, measured before it starts."""

import json
from argparse import Namespace
from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from dashboards.analysis.numbers import counted
from dashboards.analysis.wording import duration
from search.database import store_if_any
from search.planning.costs import CostRow
from search.planning.kept import make_room, remember
from search.planning.plan import Plan, as_mapping, measure_plan
from search.processes.devices import device_shares
from search.settings import Settings
from search.studies.overrides import read_overrides
from search.studies.prepare import prepare
from search.terminal.console import page, print_table
from search.terminal.stages import Stages
from spaces.exits import DONE

GB = 1e9


def plan(arguments: Namespace, settings: Settings) -> int:
    """Measure every backbone and batch size of the space; keep the plan for `search run`."""
    with store_if_any(settings) as store:
        prepared = prepare(read_overrides(arguments), settings, store)
    shares = device_shares(arguments.workers, settings.visible_gpus, arguments.per_gpu)
    make_room(settings)  # a folder that cannot be made is an error before minutes of measuring
    with Stages() as progress:
        measured = measure_plan(prepared, shares, progress)
    remember(measured, settings)
    if arguments.json:
        print(json.dumps(as_mapping(measured), indent=2))
    else:
        print_plan(measured, arguments.gpu_hours)
    return DONE


def print_plan(plan: Plan, gpu_hours: float | None) -> None:
    """Print a plan as a table, with what it means for a run.

    gpu_hours: for which the number of trials is told; None for none.
    """
    console = page()
    share = f", {plan.workers} workers" if plan.workers > 1 else ""
    console.out(f"{plan.study} on {plan.device_class}{share}", highlight=False)
    print_table(console, _table(plan.rows))
    if any(row.fits and _is_worked_out(row) for row in plan.rows):
        console.out("~ worked out from steps of fewer images", highlight=False)
    for backbone in plan.excluded:
        console.out(
            f"{backbone} does not fit, not even one image at a time: `search run` leaves it out "
            "when it starts the study here",
            highlight=False,
        )
    for line in [*_room(plan), *_totals(plan, gpu_hours)]:
        console.out(line, highlight=False)


def _table(rows: Sequence[CostRow]) -> Table:
    table = Table("backbone", "batch", "at once", "memory", "of", "step", "images/s", "epoch")
    for row in rows:
        cost = row.cost
        if not row.fits:
            cells = ["-", f"> {cost.capacity_bytes / GB:.1f} GB", "", "does not fit", "", ""]
        else:
            sign = "~" if _is_worked_out(row) else ""
            cells = [
                str(cost.micro_batch),
                f"{sign}{cost.memory_bytes / GB:.1f} GB",
                f"{cost.capacity_bytes / GB:.1f} GB",
                f"{sign}{1000 * cost.step_seconds:.0f} ms",
                f"{row.batch_size / cost.step_seconds:.0f}",
                duration(row.epoch_seconds),
            ]
        table.add_row(Text(str(row.backbone)), str(row.batch_size), *cells)
    return table


def _is_worked_out(row: CostRow) -> bool:
    """Say whether fewer images were measured than the device takes at once."""
    return row.cost.measured_images < row.cost.micro_batch


def _room(plan: Plan) -> Iterator[str]:
    """Say how many workers fit on a GPU; on a CPU the cores are short first."""
    if plan.device_class.startswith("cpu") or not any(row.fits for row in plan.rows):
        return
    most, workers = plan.most_per_device, counted(plan.per_device, "worker")
    if plan.per_device <= most:
        yield f"by memory at most {counted(most, 'worker')} fit on one GPU (--per-gpu {most})"
        return
    crowded = ", ".join(f"{row.backbone} at batch {row.batch_size}" for row in plan.crowded)
    names = f": {crowded} would train in parts, or not at all" if crowded else ""
    yield f"{workers} do not fit on one GPU with whole batches, {most} would{names}"


def _totals(plan: Plan, gpu_hours: float | None) -> list[str]:
    if not plan.trial_seconds:
        return ["nothing of this space fits here; use smaller backbones or a smaller image_size"]
    mean = duration(plan.trial_seconds)
    folds = f"{plan.folds} folds of " if plan.folds else ""
    lines = [
        f"a trial of {folds}{plan.epochs:g} epochs takes about {mean}; {plan.trials} trials about "
        f"{duration(3600 * plan.hours)}, pruning not counted"
    ]
    if plan.workers > 1 and plan.device_class.startswith("cpu"):
        lines.append(
            f"measured with one at work: {plan.workers} on the same cores slow each other down, up"
            f" to {plan.workers} times"
        )
    if gpu_hours:
        trials = int(gpu_hours * 3600 / plan.trial_seconds)
        lines.append(f"in {gpu_hours:g} hours of one worker about {trials} such trials run")
    return lines
