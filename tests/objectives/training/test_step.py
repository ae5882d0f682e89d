"""Tests of one optimizer step: the batch in parts, clipping, averaging."""

from contextlib import nullcontext

import pytest
import torch

from objectives.models.classifier import build_classifier
from objectives.recipe.image import ImageRecipe
from objectives.sets.batch import Batch
from objectives.training.learning.average import averaged
from objectives.training.learning.losses import build_criterion
from objectives.training.step import Stepper, build_stepper

COUNTS = torch.tensor([90, 9, 1])
IMAGES = torch.randn(24, 3, 32, 32, generator=torch.Generator().manual_seed(3))
BATCH = Batch(IMAGES, torch.arange(24) % 3)


def stepper_of(**config) -> tuple[Stepper, ImageRecipe]:
    recipe = ImageRecipe(backbone="small_cnn", batch_size=24, **config)
    torch.manual_seed(0)
    stepper = build_stepper(recipe, build_classifier(recipe, classes=3), nullcontext())
    stepper.model.learn(0)  # frozen BatchNorm: a batch in parts is exactly the batch
    stepper.model.train()
    return stepper, recipe


@pytest.mark.parametrize("balancing", ["none", "class_weights", "ldam", "ldam_drw"])
@pytest.mark.parametrize("part", [2, 5, 12])
def test_a_batch_in_parts_is_the_same_step(balancing: str, part: int) -> None:
    seen = []
    for size in (24, part):
        stepper, recipe = stepper_of(balancing=balancing, micro_batch=size)
        criterion = build_criterion(recipe, COUNTS, epoch=recipe.epochs)
        loss = stepper.step(BATCH, criterion)
        seen.append((loss, [each.grad for each in stepper.model.head.parameters()]))
    (whole_loss, whole), (loss, parts) = seen
    torch.testing.assert_close(loss, whole_loss)
    for ours, expected in zip(parts, whole, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)


def test_a_gradient_that_is_too_long_is_shortened_before_the_step() -> None:
    lengths = []
    for limit in (0.0, 1e-3):
        stepper, recipe = stepper_of(clip_norm=limit)
        stepper.step(BATCH, build_criterion(recipe, COUNTS, epoch=1))
        gradients = [each.grad.flatten() for each in stepper.model.head.parameters()]
        lengths.append(torch.cat(gradients).norm().item())
    assert lengths[0] > 1e-2
    assert lengths[1] == pytest.approx(1e-3, rel=1e-3)


def test_averaged_weights_follow_slowly_and_quickly_at_first() -> None:
    stepper, _ = stepper_of()
    model, weight = stepper.model, stepper.model.head.get_parameter("weight")
    average = averaged(model, decay=0.9)
    with torch.no_grad():
        weight.fill_(0.0)
        average.update_parameters(model)  # the first is taken over
        expected = 0.0
        for steps in (1, 2, 200):
            average.n_averaged.fill_(steps)
            weight.fill_(float(steps))
            average.update_parameters(model)
            kept = min(0.9, (1 + steps) / (10 + steps))
            expected = kept * expected + (1 - kept) * steps
    followed = average.module.head.get_parameter("weight")
    assert followed.mean().item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("count", [2, 3, 4, 5, 8, 9, 17, 24])
@pytest.mark.parametrize("at_most", [1, 2, 3, 4, 7, 24])
def test_every_image_counts_once_whatever_the_parts(count: int, at_most: int) -> None:
    batch = Batch(IMAGES[:count], torch.arange(count))
    parts = list(batch.parts(at_most))
    assert torch.cat([part.count_once(part.labels) for part in parts]).equal(batch.labels)
    assert max(map(len, parts)) <= at_most
    assert min(map(len, parts)) >= min(2, at_most)


def test_an_image_left_over_by_parts_of_two_changes_no_gradient() -> None:
    gradients = []
    for size in (9, 2):
        stepper, recipe = stepper_of(balancing="class_weights", micro_batch=size)
        odd = Batch(IMAGES[:9], BATCH.labels[:9])
        loss = stepper.step(odd, build_criterion(recipe, COUNTS, epoch=1))
        gradients.append((loss, stepper.model.head.get_parameter("weight").grad))
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-4, atol=1e-6)
