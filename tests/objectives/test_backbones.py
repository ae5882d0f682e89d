"""Tests of the networks and of where their weights come from."""

from pathlib import Path

import pytest
import torch
from torchvision import models

from objectives import catalog
from objectives.contract import RecipeError
from objectives.models.backbones import BACKBONES, build_backbone, pretrained
from objectives.models.classifier import build_classifier
from objectives.recipe.image import ImageRecipe


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty torch cache and no way out; gives the folder for weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody listens on "discard"
    monkeypatch.delenv("no_proxy", raising=False)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_every_backbone_of_the_recipe_can_be_built() -> None:
    choices = catalog.describe("image_classifier").fields["backbone"]["choices"]
    assert list(BACKBONES) == list(choices)
    for name in choices:
        network, features = build_backbone(name, "none", "standard")
        assert network(torch.zeros(2, 3, 32, 32)).shape == (2, features)


def test_resnet50_is_torchvisions() -> None:
    torch.manual_seed(0)
    ours, _ = build_backbone("resnet50", "none", "standard")
    torch.manual_seed(0)
    theirs = models.resnet50()
    images = torch.randn(2, 3, 64, 64)
    assert theirs.eval().fc(ours.eval()(images)).equal(theirs(images))


def test_the_small_stem_keeps_the_resolution_of_tiny_images() -> None:
    model = build_classifier(ImageRecipe(stem="small"), classes=3)
    assert model.backbone.conv1(torch.zeros(1, 3, 32, 32)).shape == (1, 64, 32, 32)
    assert isinstance(model.backbone.maxpool, torch.nn.Identity)
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 3)


def test_weights_that_are_here_are_loaded_into_the_network(offline: Path) -> None:
    trained = models.resnet18().state_dict()
    torch.save(trained, offline / "resnet18-f37072fd.pth")
    network, _ = build_backbone("resnet18", "imagenet", "standard")
    assert network.layer1[0].conv1.weight.equal(trained["layer1.0.conv1.weight"])


def test_missing_weights_are_an_error_that_names_the_file(offline: Path) -> None:
    with pytest.raises(RecipeError, match=r"resnet50-11ad3fa6\.pth is not here .* set weights to"):
        pretrained("resnet50")
    assert not list(offline.glob("*.pth"))


def test_damaged_weights_are_an_error_that_says_delete(offline: Path) -> None:
    (offline / "resnet18-f37072fd.pth").write_bytes(b"not a checkpoint")
    with pytest.raises(RecipeError, match=r"resnet18-f37072fd\.pth is damaged; delete it"):
        pretrained("resnet18")


@pytest.mark.slow
def test_preflight_finds_missing_weights_before_the_first_trial(offline: Path) -> None:
    configs = [{"backbone": "small_cnn"}, {"backbone": "resnet34", "weights": "pretrained"}]
    with pytest.raises(RecipeError, match=f"{offline}/resnet34-b627a593.pth is not here"):
        catalog.preflight("image_classifier", configs)
    catalog.preflight("image_classifier", configs[:1])
