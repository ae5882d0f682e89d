"""Tests of volumes on a GPU: the same bits again, the CPU's draws, parts where memory is short."""

from itertools import islice
from pathlib import Path

import pytest
import torch

from objectives import catalog
from objectives.augment.volumes import augment_volumes
from objectives.contract import Attempt, DataSource, EpochResult
from objectives.data.pixels.volumes import STANDARDIZED
from objectives.files.checkpoints import newest_good
from objectives.recipe.volume import VolumeRecipe
from objectives.training import precision
from objectives.training.learning.losses import build_criterion
from objectives.training.step import build_stepper, fit_into_memory
from objectives.volume_classifier import VolumeTask, train
from tests.objectives.volume_files import write_tree

pytestmark = pytest.mark.gpu

CONFIG = {"image_size": 48, "batch_size": 4, "epochs": 3, "learning_rate": 1e-3}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> DataSource:
    return write_tree(tmp_path_factory.mktemp("brats"))


def exact(results: list[EpochResult]) -> list[dict[str, float]]:
    metrics = catalog.describe("volume_classifier").metrics
    return [
        {name: value for name, value in result.metrics.items() if metrics[name]["exact"]}
        for result in results
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"backbone": "resnet10_3d", "balancing": "sampler", "dropout": 0.3},
        {"backbone": "resnet18_3d", "balancing": "ldam_drw", "drw_start": 0.4},
        {"backbone": "resnet50_3d", "dilated": True, "micro_batch": 2},
    ],
)
def test_a_resumed_trial_equals_the_undisturbed_one_to_the_bit(
    tmp_path: Path, tree: DataSource, more: dict[str, object]
) -> None:
    def attempt(name: str, resume_from: Path | None = None) -> Attempt:
        (tmp_path / name).mkdir(exist_ok=True)
        return Attempt(
            folder=tmp_path / name, data=tree, seed=7, device="cuda", resume_from=resume_from
        )

    config = {**CONFIG, **more}
    whole = list(train(config, attempt("whole")))
    list(islice(train(config, attempt("first")), 2))
    resumed = list(train(config, attempt("second", newest_good([tmp_path / "first"]))))
    assert exact(resumed) == exact(whole)


def test_a_gpu_moves_volumes_as_the_cpu_does() -> None:
    batch = torch.randint(0, 256, (3, 4, 24, 24, 24)).to(torch.uint8)
    here, there = (
        augment_volumes(
            batch.to(device), torch.Generator().manual_seed(1), "conservative", STANDARDIZED
        ).cpu()
        for device in ("cpu", "cuda")
    )
    assert here.allclose(there, atol=1e-3)


def test_a_batch_that_does_not_fit_is_passed_in_parts() -> None:
    recipe = VolumeRecipe(backbone="resnet50_3d", image_size=96, batch_size=12)
    task, whole = VolumeTask(recipe, 4), torch.cuda.get_device_properties(0).total_memory
    model = task.build(classes=2).cuda()
    stepper = build_stepper(recipe, model, precision.autocast("auto", "cuda"))
    criterion = build_criterion(recipe, torch.tensor([60, 168], device="cuda"), epoch=1)
    torch.cuda.set_per_process_memory_fraction(4 * 2**30 / whole)
    try:
        fit_into_memory(stepper, task, criterion, shape=task.shape)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert 1 <= stepper.micro_batch < 12
