"""Tests of the look at every network of a study, before anything of it runs."""

import time
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save_file
from torch import nn
from torchvision import models

from objectives import catalog
from objectives.contract import DataSource, RecipeError
from objectives.data.pixels.normalization import IMAGENET
from objectives.models.backbones import Backbone
from objectives.models.probe import check_image_size, preflight
from objectives.models.timm_networks import features_of
from objectives.recipe.image import ImageRecipe
from objectives.recipe.volume import VolumeRecipe

DIGITS = DataSource(layout={"kind": "digits"})
DINOV2 = "vit_small_patch14_dinov2.lvd142m"
TINY = "test_resnet.r160_in1k"


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty caches and no way out; gives the folder of torch's weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hugging"))
    for name in ("HF_HUB_CACHE", "HF_HUB_OFFLINE", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens on "discard"
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def look(*configs: dict[str, Any]) -> dict[str, dict[str, str]]:
    return catalog.preflight("image_classifier", configs, DIGITS)


def put_into_hugging_cache(home: Path, repository: str, state: dict[str, torch.Tensor]) -> None:
    """Lay a file where huggingface_hub looks for one that it has downloaded."""
    revision = "0" * 40
    folder = home / "hub" / f"models--{repository.replace('/', '--')}"
    (folder / "snapshots" / revision).mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(revision)
    save_file(state, folder / "snapshots" / revision / "model.safetensors")


@pytest.mark.usefixtures("no_child")
def test_missing_weights_are_found_before_the_first_trial(offline: Path) -> None:
    with pytest.raises(RecipeError, match=f"{offline}/resnet34-b627a593.pth is not here"):
        look({"backbone": "small_cnn"}, {"backbone": "resnet34", "weights": "pretrained"})


def assert_it_says_where_the_weights_are() -> None:
    with pytest.raises(RecipeError) as refused:
        look({"backbone": "dinov2_vits14", "weights": "pretrained"})
    words = str(refused.value)
    assert f"dinov2_vits14: the weights of https://huggingface.co/timm/{DINOV2} are not" in words
    assert "set weights to its path, or set weights to none" in words
    assert "\n" not in words


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_a_hub_that_cannot_be_reached_is_one_line_within_seconds() -> None:
    started = time.monotonic()
    assert_it_says_where_the_weights_are()
    assert time.monotonic() - started < 60  # seconds; the hub's own library tries for minutes


@pytest.mark.usefixtures("offline", "no_child")
def test_a_hub_that_must_not_be_reached_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As the hub's library reads HF_HUB_OFFLINE and HF_HOME when it is loaded.
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hugging" / "hub"))
    assert_it_says_where_the_weights_are()


@pytest.mark.slow
def test_what_is_in_the_caches_needs_no_network_and_is_recorded(
    offline: Path, tmp_path: Path
) -> None:
    torch.save(models.resnet18().state_dict(), offline / "resnet18-f37072fd.pth")
    network = timm.create_model("test_resnet", num_classes=0)
    put_into_hugging_cache(tmp_path / "hugging", f"timm/{TINY}", network.state_dict())

    records = look(
        {"backbone": "resnet18", "weights": "pretrained", "image_size": 64},
        {"backbone": TINY, "weights": "pretrained", "image_size": 32},
        {"backbone": "convnextv2_atto", "image_size": 32},
    )

    files = {key: (record["file"], record["licence"]) for key, record in records.items()}
    assert files == {
        "resnet18 pretrained": ("resnet18-f37072fd.pth", "bsd-3-clause"),
        f"{TINY} pretrained": (f"timm/{TINY}/model.safetensors", "apache-2.0"),
    }


def test_networks_that_surely_can_be_built_are_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert look({"backbone": "small_cnn"}, {"backbone": "resnet18", "image_size": 32}) == {}
    with pytest.raises(FileNotFoundError):
        look({"backbone": "convnextv2_atto"})


@pytest.mark.parametrize(
    ("backbone", "size", "says"),
    [
        ("convnextv2_atto", 16, "cannot take an image_size of 16 .*; set image_size to 224"),
        ("inception_v3", 64, "cannot take an image_size of 64 .*; set image_size to 299"),
        ("xcit_nano_12_p16_224", 100, "cannot build .* an image_size of 100 .* set image_size to"),
    ],
)
def test_a_size_that_a_network_cannot_take_is_one_line_with_the_fix(
    backbone: str, size: int, says: str
) -> None:
    with pytest.raises(RecipeError, match=says) as refused:
        preflight([ImageRecipe(backbone=backbone, image_size=size)], 3)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("size", [0, 28, 224])
def test_every_multiple_of_its_patch_suits_dinov2(size: int) -> None:
    assert preflight([ImageRecipe(backbone="dinov2_vits14", image_size=size)], 3) == {}


def test_a_network_that_makes_no_vector_of_an_image_is_refused() -> None:
    makes_maps = Backbone(network=nn.Conv2d(3, 8, 1), features=8, normalization=IMAGENET)
    with pytest.raises(RecipeError, match=r"not turn an image into one vector.*another backbone"):
        check_image_size(ImageRecipe(), makes_maps)
    with pytest.raises(RecipeError, match=r"resnet10t does not turn an image into one vector"):
        features_of(nn.Conv2d(3, 8, 1), "resnet10t")


def test_a_file_of_another_architecture_is_found(tmp_path: Path) -> None:
    torch.save(models.resnet34().state_dict(), tmp_path / "mine.pth")
    recipe = ImageRecipe(backbone="resnet18", weights=str(tmp_path / "mine.pth"))
    with pytest.raises(RecipeError, match=r"no layer1\.2\.conv1\.weight"):
        preflight([recipe], 3)


@pytest.mark.usefixtures("no_child")
@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU's compiler is another")
def test_a_missing_compiler_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(RecipeError, match=r"needs a C\+\+ compiler, .* set compile to false"):
        look({"backbone": "small_cnn", "compile": True})


SINGLE = {"image_size": 64, "micro_batch": 1}


@pytest.mark.parametrize(
    "recipe",
    [
        ImageRecipe(backbone="small_cnn", **SINGLE),
        ImageRecipe(backbone="resnet18", trained_stages=1, **SINGLE),
        ImageRecipe(backbone="efficientnet_b0", **SINGLE),
        VolumeRecipe(backbone="resnet10_3d_quarter", **SINGLE),
    ],
)
def test_single_images_are_refused_where_batchnorm_learns(
    recipe: ImageRecipe | VolumeRecipe,
) -> None:
    with pytest.raises(RecipeError, match=r"micro_batch is 1, and BatchNorm .* set micro_batch to"):
        preflight([recipe], 3)


def test_single_images_suit_a_network_whose_batchnorm_never_learns() -> None:
    without = ImageRecipe(backbone="convnextv2_atto", **SINGLE)
    in_frozen_stages = ImageRecipe(
        backbone="coatnet_nano_rw_224", trained_stages=2, micro_batch=1, image_size=224
    )
    assert preflight([without, in_frozen_stages], 3) == {}


@pytest.mark.usefixtures("no_child")
def test_a_search_that_may_draw_single_images_is_refused_before_it_begins() -> None:
    with pytest.raises(RecipeError, match="micro_batch is 1, and BatchNorm learns"):
        look({"backbone": "small_cnn", "micro_batch": 1})
