"""A backbone's stages, and the effect of freezing them."""

import pytest
import torch
from torch import nn

from objectives.models.classifier import Classifier, build_classifier
from objectives.recipe.image import ImageRecipe


def classifier(backbone: str, **settings: object) -> Classifier:
    config = {"backbone": backbone, "image_size": 224, **settings}
    return build_classifier(ImageRecipe.from_config(config), classes=3)


def shapes_of(backbone: str) -> Classifier:
    """Build a classifier without values, which takes a tenth of the time."""
    with torch.device("meta"):
        return classifier(backbone)


@pytest.mark.parametrize(
    ("backbone", "counted"),
    [
        ("resnet18", 5),  # a stem and four stages
        ("convnextv2_tiny", 5),
        ("small_cnn", 4),
        ("dinov2_vits14", 13),  # positions and patches, then twelve blocks
        ("efficientnetv2_s", 7),  # a stem and six stages
        ("caformer_s18", 5),  # names none of its layers
        ("pit_ti_224", 4),  # nor does this one
        ("rdnet_tiny", 8),  # names only the fine ones
        ("inception_v3", 13),  # two stems and eleven mixtures, by a function
    ],
)
def test_every_parameter_is_in_exactly_one_stage(backbone: str, counted: int) -> None:
    model = shapes_of(backbone)
    staged = [id(parameter) for stage in model.stages for parameter in stage]
    assert sorted(staged) == sorted(map(id, model.backbone.parameters()))
    assert len(model.stages) == counted


@pytest.mark.parametrize(
    ("backbone", "first", "last"),
    [
        ("resnet18", "conv1.weight", "layer4.1.bn2.bias"),
        ("small_cnn", "layers.0.0.weight", "layers.3.1.bias"),
        ("convnextv2_tiny", "stem.0.weight", "head.norm.bias"),
        ("dinov2_vits14", "pos_embed", "norm.bias"),
        ("efficientnetv2_s", "conv_stem.weight", "bn2.bias"),
    ],
)
def test_stages_go_from_the_image_to_the_features(backbone: str, first: str, last: str) -> None:
    model = shapes_of(backbone)
    assert is_in(model.backbone.get_parameter(first), model.stages[0])
    assert is_in(model.backbone.get_parameter(last), model.stages[-1])


def test_a_last_norm_is_no_stage_of_its_own() -> None:
    last = shapes_of("convnextv2_tiny").stages[-1]
    assert sum(each.numel() for each in last) > 10_000_000


@pytest.mark.parametrize(
    ("stages", "learning"),
    [(None, [0, 1, 2, 3]), (0, []), (1, [3]), (3, [1, 2, 3]), (9, [0, 1, 2, 3])],
)
def test_the_head_and_so_many_last_stages_learn(stages: int | None, learning: list[int]) -> None:
    model = classifier("small_cnn")
    model.learn(0)
    model.learn(stages)
    found = {
        number for number, stage in enumerate(model.stages) if all(p.requires_grad for p in stage)
    }
    frozen = {
        number
        for number, stage in enumerate(model.stages)
        if not any(p.requires_grad for p in stage)
    }
    assert (found, frozen) == (set(learning), {0, 1, 2, 3} - set(learning))
    assert all(parameter.requires_grad for parameter in model.head.parameters())


@pytest.mark.parametrize("is_last", [True, False])
def test_frozen_statistics_do_not_move_whichever_is_said_last(is_last: bool) -> None:
    model = classifier("resnet18")
    if is_last:
        model.train()
        model.learn(1)
    else:
        model.learn(1)
        model.train()
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    model(torch.randn(4, 3, 64, 64))
    moved = {name for name, buffer in model.named_buffers() if not buffer.equal(before[name])}
    assert moved
    assert all(name.startswith("backbone.layer4.") for name in moved)


def test_a_frozen_backbone_drops_nothing_and_the_head_does() -> None:
    model = classifier("vit_tiny_patch16_224", dropout=0.5, image_size=32)
    for layer in model.backbone.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.5
    images = torch.randn(2, 3, 32, 32)
    model.train()
    model.learn(0)
    assert model.backbone(images).equal(model.backbone(images))
    assert not model(images).equal(model(images))


def test_what_is_thawed_trains_again() -> None:
    model = classifier("resnet18")
    model.learn(0)
    assert not model.train().backbone.training
    model.learn(None)
    assert all(module.training for module in model.modules())
    model.eval()
    model.learn(None)
    assert not any(module.training for module in model.modules())


def test_a_copy_has_stages_of_its_own() -> None:
    from copy import deepcopy

    model = classifier("small_cnn")
    copied = deepcopy(model)
    copied.learn(0)
    assert model.stages[0][0].requires_grad
    assert not is_in(model.stages[0][0], copied.stages[0])


def is_in(parameter: nn.Parameter, stage: tuple[nn.Parameter, ...]) -> bool:
    return any(parameter is each for each in stage)
