"""The backbones, and the effect of a recipe on them."""

import subprocess
import sys

import pytest
import timm
import torch
from torchvision import models

from objectives import catalog
from objectives.contract import RecipeError
from objectives.data.pixels.normalization import CENTRED, IMAGENET
from objectives.models.backbones import build_backbone, own_image_size
from objectives.models.classifier import build_classifier
from objectives.models.heads import CosineHead
from objectives.recipe.backbones import BACKBONES, known_backbone
from objectives.recipe.image import ImageRecipe

# One small network of each of timm's large families, beside those that we name.
FAMILIES = ("resnet10t", "vit_tiny_patch16_224", "mobilenetv3_small_050", "test_convnext.r160_in1k")


@pytest.mark.parametrize("name", [*BACKBONES, *FAMILIES])
def test_every_backbone_gives_the_features_it_promises(name: str) -> None:
    size = 32 * known_backbone(name).multiple
    with torch.device("meta"):  # shapes only: the values of the large ones take seconds to draw
        backbone = build_backbone(ImageRecipe(backbone=name, image_size=size))
        images = torch.zeros(2, 3, size, size)
    assert backbone.network(images).shape == (2, backbone.features)


def test_the_recipe_names_our_backbones() -> None:
    assert catalog.describe("image_classifier").fields["backbone"]["choices"] == tuple(BACKBONES)


@pytest.mark.parametrize("name", ["resnet50", "resnext50_32x4d"])
def test_torchvisions_networks_are_exactly_torchvisions(name: str) -> None:
    torch.manual_seed(0)
    ours = build_backbone(ImageRecipe(backbone=name)).network
    torch.manual_seed(0)
    theirs = models.get_model(name, weights=None)
    images = torch.randn(2, 3, 64, 64)
    assert theirs.eval().fc(ours.eval()(images)).equal(theirs(images))


def test_any_network_of_timms_is_built_as_it_is() -> None:
    torch.manual_seed(0)
    ours = build_backbone(ImageRecipe(backbone="resnet10t.c3_in1k", image_size=64)).network
    torch.manual_seed(0)
    theirs = timm.create_model("resnet10t", num_classes=0)
    images = torch.randn(2, 3, 64, 64)
    assert ours.eval()(images).equal(theirs.eval()(images))


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("small_cnn", 32),
        ("resnet50", 224),
        ("efficientnetv2_s", 300),
        ("dinov2_vits14", 224),
        ("vit_base_patch16_384", 384),
        ("resnet10t.c3_in1k", 176),
    ],
)
def test_image_size_0_is_the_backbones_own(name: str, size: int) -> None:
    assert own_image_size(name) == size


@pytest.mark.parametrize(
    ("name", "normalization"),
    [
        ("resnet50", IMAGENET),
        ("convnextv2_tiny", IMAGENET),
        ("efficientnetv2_s", CENTRED),
        ("small_cnn", CENTRED),
        ("vit_tiny_patch16_224", CENTRED),  # augreg's
    ],
)
def test_pixels_are_normalised_as_the_backbone_was_trained(
    name: str, normalization: object
) -> None:
    with torch.device("meta"):
        model = build_classifier(ImageRecipe(backbone=name), classes=2)
    assert model.normalization == normalization


def test_the_small_stem_keeps_the_resolution_of_tiny_images() -> None:
    model = build_classifier(ImageRecipe(stem="small"), classes=3)
    assert model.backbone.get_submodule("conv1")(torch.zeros(1, 3, 32, 32)).shape == (1, 64, 32, 32)
    assert isinstance(model.backbone.maxpool, torch.nn.Identity)
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 3)


def test_a_network_of_a_fixed_size_is_built_for_the_recipes() -> None:
    recipe = ImageRecipe(backbone="dinov2_vits14", image_size=42)
    network = build_backbone(recipe).network
    assert network.get_parameter("pos_embed").shape == (1, 1 + 3 * 3, 384)
    assert network(torch.zeros(1, 3, 42, 42)).shape == (1, 384)


def test_an_unknown_tag_of_timms_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(RecipeError, match=r"did you mean 'resnet10t\.c3_in1k'"):
        build_backbone(ImageRecipe(backbone="resnet10t.c3_in2k"))


def test_a_library_is_loaded_only_once_a_trial_needs_it() -> None:
    code = """
import sys, torch
import objectives.training.loop, objectives.training.records.tables
from objectives.models.classifier import build_classifier
from objectives.recipe.image import ImageRecipe
from objectives.training.measures.metrics import measure
measure(torch.eye(3), torch.arange(3))
for backbone in ("small_cnn", "resnet18", "convnextv2_atto"):
    build_classifier(ImageRecipe(backbone=backbone), classes=2)
    libraries = ("matplotlib", "sklearn", "torchvision", "timm")
    print(*(library for library in libraries if library in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["", "torchvision", "torchvision timm"]


@pytest.mark.parametrize("balancing", ["none", "ldam"])
@pytest.mark.parametrize("head", ["linear", "hidden"])
def test_only_the_last_layer_of_a_head_depends_on_the_loss(head: str, balancing: str) -> None:
    recipe = ImageRecipe(head=head, hidden_units=8, dropout=0.5, balancing=balancing)
    model = build_classifier(recipe, classes=3)
    *before, last = model.head.children()
    kinds = [type(layer).__name__ for layer in before]
    assert kinds == (["Linear", "ReLU", "Dropout"] if head == "hidden" else ["Dropout"])
    assert type(last) is (CosineHead if balancing == "ldam" else torch.nn.Linear)
    assert last.get_parameter("weight").shape == (3, 8 if head == "hidden" else 512)


def test_logits_are_float32_where_the_backbone_computes_in_bfloat16() -> None:
    model = build_classifier(ImageRecipe(backbone="small_cnn", head="hidden"), classes=3)
    with torch.autocast("cpu", torch.bfloat16):
        assert model.backbone(torch.zeros(2, 3, 32, 32)).dtype == torch.bfloat16
        assert model(torch.zeros(2, 3, 32, 32)).dtype == torch.float32
