"""The learning rate of each parameter, and the first step of each optimizer."""

import pytest
import torch
from torch import nn

from objectives.models.classifier import Classifier, build_classifier
from objectives.recipe.image import ImageRecipe
from objectives.training.learning.optimizers import build_optimizer, set_learning_rates
from objectives.training.learning.schedule import rates_from


def model_of(recipe: ImageRecipe) -> Classifier:
    torch.manual_seed(0)
    return build_classifier(recipe, classes=3)


def group_of(optimizer: torch.optim.Optimizer, parameter: nn.Parameter) -> dict[str, float]:
    (group,) = (
        group
        for group in optimizer.param_groups
        if any(parameter is each for each in group["params"])
    )
    return group


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "rmsprop_tf", "adam", "adamw"])
def test_every_parameter_is_in_exactly_one_group_also_when_it_is_frozen(name: str) -> None:
    recipe = ImageRecipe(optimizer=name, layer_decay=0.5)
    model = model_of(recipe)
    model.learn(0)
    optimizer = build_optimizer(recipe, model)
    grouped = [id(each) for group in optimizer.param_groups for each in group["params"]]
    assert sorted(grouped) == sorted(id(each) for each in model.parameters())


def test_norms_and_biases_do_not_decay() -> None:
    recipe = ImageRecipe(weight_decay=0.1)
    model = model_of(recipe)
    optimizer = build_optimizer(recipe, model)
    resnet = model.backbone
    assert group_of(optimizer, resnet.conv1.weight)["weight_decay"] == 0.1
    assert group_of(optimizer, resnet.bn1.weight)["weight_decay"] == 0.0
    assert group_of(optimizer, model.head.get_parameter("bias"))["weight_decay"] == 0.0


def test_earlier_stages_and_the_head_have_learning_rates_of_their_own() -> None:
    recipe = ImageRecipe(layer_decay=0.5, head_multiple=2.0)
    model = model_of(recipe)
    optimizer = build_optimizer(recipe, model)
    set_learning_rates(optimizer, rates_from(recipe, 1e-3))
    resnet = model.backbone
    rates = [
        group_of(optimizer, each)["lr"]
        for each in (
            resnet.conv1.weight,
            resnet.layer1[0].conv1.weight,
            resnet.layer4[0].conv1.weight,
            model.head.get_parameter("weight"),
        )
    ]
    assert rates == pytest.approx([1e-3 / 16, 1e-3 / 8, 1e-3, 2e-3])


@pytest.mark.parametrize(
    ("name", "first_step"),
    [
        # torch: the running square starts at 0 and takes 1 % of the new one: 1 / sqrt(.01).
        ("rmsprop", 10.0),
        # TensorFlow's starts at 1 and takes 10 %: 1 / sqrt(.9 * 1 + .1 * g^2) with g = 1.
        ("rmsprop_tf", 1.0),
        ("adam", 1.0),
        ("sgd", 1.0),
    ],
)
def test_a_first_step_is_as_long_as_its_optimizers_definition_says(
    name: str, first_step: float
) -> None:
    recipe = ImageRecipe(optimizer=name, weight_decay=0.0, learning_rate=1e-3)
    model = model_of(recipe)
    weight = model.head.get_parameter("weight")
    before = weight.detach().clone()
    optimizer = build_optimizer(recipe, model)
    set_learning_rates(optimizer, rates_from(recipe, 1e-3))
    weight.grad = torch.ones_like(weight)
    optimizer.step()
    moved = (before - weight).mean().item() / 1e-3
    assert moved == pytest.approx(first_step, rel=1e-2)


def test_a_frozen_weight_neither_moves_nor_decays() -> None:
    recipe = ImageRecipe(weight_decay=1.0, learning_rate=0.1)
    model = model_of(recipe)
    model.learn(0)
    optimizer = build_optimizer(recipe, model)
    before = model.backbone.conv1.weight.detach().clone()
    model(torch.randn(2, 3, 32, 32)).sum().backward()
    optimizer.step()
    assert model.backbone.conv1.weight.equal(before)


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "rmsprop_tf", "adam", "adamw"])
def test_a_stage_that_joins_later_takes_its_first_step_as_if_it_were_the_first(name: str) -> None:
    recipe = ImageRecipe(backbone="small_cnn", optimizer=name, weight_decay=0.0)
    model = model_of(recipe)
    optimizer = build_optimizer(recipe, model)
    head, weight = model.head.get_parameter("weight"), model.stages[-1][0]
    for _ in range(2):
        head.grad = torch.ones_like(head)
        optimizer.step()
    before = weight.detach().clone()
    weight.grad = torch.ones_like(weight)
    optimizer.step()

    alone = model_of(recipe)
    first = alone.stages[-1][0]
    first.grad = torch.ones_like(first)
    build_optimizer(recipe, alone).step()
    assert not weight.equal(before)
    assert weight.equal(first)
