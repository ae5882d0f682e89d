"""Weights: where they are found, how they are loaded, and which are refused."""

import argparse
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision import models

from objectives.contract import RecipeError
from objectives.models.backbones import build_backbone
from objectives.models.classifier import build_classifier
from objectives.models.weights import find_weights
from objectives.recipe.image import ImageRecipe


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Torch's empty cache, and no way out."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody listens on "discard"
    monkeypatch.delenv("no_proxy", raising=False)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def trained() -> nn.Module:
    """A small network that somebody has trained, classifier and all."""
    return timm.create_model("resnet10t", num_classes=10)


def load(path: Path, backbone: str = "resnet10t") -> nn.Module:
    recipe = ImageRecipe(backbone=backbone, weights=str(path), image_size=64)
    return build_backbone(recipe).network


def same(network: nn.Module, state: Mapping[str, Tensor]) -> bool:
    return all(value.equal(state[key]) for key, value in network.state_dict().items())


def test_weights_in_torchs_cache_are_loaded_into_the_network(cache: Path) -> None:
    network = models.resnet18()
    torch.save(network.state_dict(), cache / "resnet18-f37072fd.pth")
    backbone = build_backbone(ImageRecipe(weights="pretrained"))
    assert same(backbone.network, network.state_dict())


def test_what_is_recorded_of_a_file_is_its_own(cache: Path) -> None:
    path = cache / "resnet18-f37072fd.pth"
    torch.save(models.resnet18().state_dict(), path)
    backbone = build_backbone(ImageRecipe(weights="pretrained"))
    assert backbone.weights is not None
    assert backbone.weights.record(backbone.network) == {
        "file": "resnet18-f37072fd.pth",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "licence": "bsd-3-clause",
        "parameters": "11176512",  # 11,689,512 by torchvision's own count, less 1,000 classes
    }


def test_missing_weights_are_an_error_that_names_the_file(cache: Path) -> None:
    with pytest.raises(RecipeError, match=r"resnet50-11ad3fa6\.pth is not here .* set weights to"):
        find_weights(ImageRecipe(backbone="resnet50", weights="pretrained"))
    assert not list(cache.glob("*"))


def test_damaged_weights_are_an_error_that_says_delete(cache: Path) -> None:
    (cache / "resnet18-f37072fd.pth").write_bytes(b"not a checkpoint")
    with pytest.raises(RecipeError, match=r"resnet18-f37072fd\.pth is damaged; delete it"):
        build_backbone(ImageRecipe(weights="pretrained"))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": state, "args": argparse.Namespace(lr=0.1)},  # as timm trains
        lambda state: {"model": {"w": torch.zeros(1)}, "model_ema": state},
        lambda state: {f"module.{key}": value for key, value in state.items()},
        lambda state: {"state_dict": {f"_orig_mod.module.{key}": state[key] for key in state}},
    ],
)
def test_a_file_is_loaded_however_it_is_wrapped(
    tmp_path: Path, trained: nn.Module, wrap: Any
) -> None:
    torch.save(wrap(trained.state_dict()), tmp_path / "mine.pth")
    assert same(load(tmp_path / "mine.pth"), trained.state_dict())


def test_safetensors_are_loaded_too(tmp_path: Path, trained: nn.Module) -> None:
    save_file(trained.state_dict(), tmp_path / "mine.safetensors")
    assert same(load(tmp_path / "mine.safetensors"), trained.state_dict())


@pytest.mark.parametrize("backbone", ["resnet10t", "resnet18", "small_cnn"])
def test_a_trials_own_weights_start_another_trial(tmp_path: Path, backbone: str) -> None:
    recipe = ImageRecipe(backbone=backbone, image_size=64, head="hidden", dropout=0.1)
    model = build_classifier(recipe, classes=3)
    torch.save({"epoch": 3, "model": model.state_dict()}, tmp_path / "best.pt")
    assert same(load(tmp_path / "best.pt", backbone), model.backbone.state_dict())


def test_positions_are_resized_to_the_images_of_the_recipe(tmp_path: Path) -> None:
    # The published file is for 518 px.
    published = timm.create_model("vit_small_patch14_dinov2", num_classes=0)
    torch.save(published.state_dict(), tmp_path / "dinov2.pth")
    recipe = ImageRecipe(
        backbone="dinov2_vits14", weights=str(tmp_path / "dinov2.pth"), image_size=224
    )
    ours = build_backbone(recipe).network.eval()

    theirs = timm.create_model("vit_small_patch14_dinov2", num_classes=0, dynamic_img_size=True)
    theirs.load_state_dict(published.state_dict())
    images = torch.randn(2, 3, 224, 224)
    torch.testing.assert_close(ours(images), theirs.eval()(images), rtol=1e-4, atol=1e-5)


def test_a_head_of_several_layers_is_left_out(tmp_path: Path) -> None:
    whole = timm.create_model("caformer_s18", num_classes=3)
    assert "head.fc.fc1.weight" in whole.state_dict()
    torch.save(whole.state_dict(), tmp_path / "whole.pth")
    assert same(load(tmp_path / "whole.pth", "caformer_s18"), whole.state_dict())


def test_the_layout_of_a_networks_authors_is_converted(tmp_path: Path) -> None:
    ours = timm.create_model("convnextv2_atto", num_classes=0)
    renamed = {"stages": "stages", "stem": "downsample_layers.0", "head.norm": "norm"}
    theirs = {as_facebook_names(key, renamed): value for key, value in ours.state_dict().items()}
    torch.save({"model": theirs}, tmp_path / "convnextv2.pt")
    assert "downsample_layers.0.0.weight" in theirs
    loaded = load(tmp_path / "convnextv2.pt", "convnextv2_atto").state_dict()
    assert loaded["head.norm.weight"].equal(ours.state_dict()["head.norm.weight"])
    assert loaded["stem.0.weight"].equal(ours.state_dict()["stem.0.weight"])


def as_facebook_names(key: str, renamed: Mapping[str, str]) -> str:
    """Give the name in github.com/facebookresearch/ConvNeXt-V2, models/convnextv2.py."""
    for ours, theirs in renamed.items():
        if key.startswith(f"{ours}."):
            key = theirs + key.removeprefix(ours)
    words = key.replace(".downsample.", ".down.").split(".")
    if "down" in words:
        key = f"downsample_layers.{words[1]}.{'.'.join(words[3:])}"
    for ours, theirs in (
        (".blocks.", "."),
        ("conv_dw", "dwconv"),
        ("mlp.fc1", "pwconv1"),
        ("mlp.fc2", "pwconv2"),
        ("mlp.grn.weight", "grn.gamma"),
        ("mlp.grn.bias", "grn.beta"),
    ):
        key = key.replace(ours, theirs)
    return key


def resnet(name: str, **changed: Tensor | None) -> dict[str, Tensor]:
    state = {**models.get_model(name, weights=None).state_dict(), **changed}
    return {key: value for key, value in state.items() if value is not None}


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (
            lambda: resnet("resnet50"),
            r"layer1\.0\.conv1\.weight is 64x64x1x1 in the file and 64x64x3x3 in the network",
        ),
        (lambda: resnet("resnet34"), r"the network has no layer1\.2\.conv1\.weight"),
        (lambda: resnet("resnet18", **{"bn1.bias": None}), r"it has no bn1\.bias"),
        (lambda: {"features.0.weight": torch.zeros(1)}, r"it has no conv1\.weight"),
        (lambda: {"epoch": 3}, r"it has no conv1\.weight"),
        (lambda: {3: torch.zeros(1)}, r"it has no conv1\.weight"),
        (
            lambda: resnet("resnet18", **{"bn1.bias": torch.full((64,), torch.nan)}),
            r"bn1\.bias is not finite in the file",
        ),
        (
            lambda: resnet("resnet18", **{"bn1.bias": torch.zeros(64, dtype=torch.complex64)}),
            r"bn1\.bias is cpu strided complex64 in the file",
        ),
        (
            lambda: resnet("resnet18", **{"bn1.bias": torch.zeros(64, device="meta")}),
            r"bn1\.bias is meta strided float32 in the file",
        ),
    ],
)
def test_a_file_of_another_architecture_is_refused_at_its_first_weight(
    tmp_path: Path, state: Any, says: str
) -> None:
    torch.save(state(), tmp_path / "other.pth")
    with pytest.raises(RecipeError, match=f"are not the weights of resnet18: {says}; set backbone"):
        load(tmp_path / "other.pth", "resnet18")


def test_counters_that_old_files_lack_are_no_difference(tmp_path: Path) -> None:
    state = resnet("resnet18")
    old = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    torch.save(old, tmp_path / "old.pth")
    assert same(load(tmp_path / "old.pth", "resnet18"), state)


class Whatever:
    """What nobody should have to trust."""


class Command:
    """What runs a command when it is unpickled by who trusts it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("exit 1",)


@pytest.mark.parametrize(
    ("name", "write", "says"),
    [
        ("x.pth", Path.exists, "there is no weights file .*; put it there"),
        ("x.pth", lambda path: path.write_bytes(b""), "is damaged; set weights to another"),
        ("x.pth", lambda path: path.write_text("nonsense"), "is damaged; set weights to another"),
        ("x.safetensors", lambda path: path.write_bytes(b"{}"), "is damaged; set weights to anot"),
        ("x.pth", lambda path: torch.save([1, 2], path), "is damaged; set weights to another"),
        ("x.pth", lambda path: torch.save({"model": Whatever()}, path), "save its state_dict"),
        ("x.pth", lambda path: torch.save(Whatever(), path), "save its state_dict"),
        ("x.pth", lambda path: torch.save(Command(), path), "save its state_dict"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(
    tmp_path: Path, name: str, write: Any, says: str
) -> None:
    write(tmp_path / name)
    with pytest.raises(RecipeError, match=says) as refused:
        load(tmp_path / name)
    assert "\n" not in str(refused.value)


def test_a_path_in_the_home_of_an_unknown_user_is_refused() -> None:
    with pytest.raises(RecipeError, match="there is no weights file ~nobody-of-this-name"):
        find_weights(ImageRecipe(weights="~nobody-of-this-name/x.pth"))


def test_half_a_file_is_damaged(tmp_path: Path, trained: nn.Module) -> None:
    path = tmp_path / "x.pth"
    torch.save(trained.state_dict(), path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(RecipeError, match="is damaged"):
        load(path)


@pytest.mark.parametrize(
    ("backbone", "licence"),
    [
        ("convnextv2_tiny", "cc-by-nc-4.0"),  # known without timm
        ("convnextv2_atto", "cc-by-nc-4.0"),  # as timm says
        ("fastvit_mci0", "apple-amlr"),
        ("convnext_tiny.eupe_lvd1689m", "fair-noncommercial-research-license"),
    ],
)
def test_noncommercial_weights_are_refused_where_they_must_not_be(
    backbone: str, licence: str
) -> None:
    with pytest.raises(RecipeError, match=f"licensed {licence}.*allow_noncommercial to true"):
        find_weights(
            ImageRecipe(backbone=backbone, weights="pretrained", allow_noncommercial=False)
        )


def test_a_network_of_timms_without_weights_says_so() -> None:
    with pytest.raises(RecipeError, match="has no pretrained weights; set weights to none"):
        find_weights(ImageRecipe(backbone="resnet50_mlp", weights="pretrained"))
