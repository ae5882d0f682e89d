"""Weights: where they are found, how they are loaded, and which are refused."""

import argparse
import datetime
import hashlib
import os
import pickle
import tarfile
import types
import zipfile
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
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
    """A tiny network that somebody has trained, classifier and all."""
    return timm.create_model("test_resnet", num_classes=10)


def load(path: Path, backbone: str = "test_resnet") -> nn.Module:
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


Wrap = Callable[[dict[str, Tensor]], Any]
PLAIN_VALUES = {
    "args": argparse.Namespace(lr=0.1),
    "best": np.float64(0.9),
    "confusion": np.zeros((2, 2)),
    "folder": Path("runs"),
    "finished": datetime.datetime(2026, 1, 1),
    "seen": defaultdict(list, {"a": [1]}),
    "losses": deque([0.5], maxlen=100),
    "config": types.SimpleNamespace(lr=0.1),
    "torch": torch.__version__,
    "frozen": frozenset(("stem",)),
    "epochs": range(3),
}


def prefixed(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + key: value for key, value in state.items()}


def of_noise(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Other weights of the same network."""
    return {key: torch.rand_like(value.float()) for key, value in state.items()}


def moco(state: Mapping[str, Tensor]) -> dict[str, Any]:
    key_encoder = prefixed("module.encoder_k.", of_noise(state))
    queue = {"module.queue": torch.zeros(8, 4), "module.queue_ptr": torch.zeros(1)}
    return {"state_dict": {**key_encoder, **prefixed("module.encoder_q.", state), **queue}}


def dino(state: Mapping[str, Tensor]) -> dict[str, Any]:
    student = prefixed("module.backbone.", of_noise(state))
    return {"student": student, "teacher": {**prefixed("backbone.", state), "head.w": EXTRA}}


def byol(state: Mapping[str, Tensor]) -> dict[str, Any]:
    target = prefixed("target_encoder.net.", of_noise(state))
    return {**target, **prefixed("online_encoder.net.", state), "online_encoder.projector": EXTRA}


EXTRA = torch.zeros(3)


@pytest.mark.parametrize(
    ("wrap", "said"),
    [
        (lambda state: state, ""),
        (lambda state: {"state_dict": state, "epoch": 3}, "from state_dict"),
        (lambda state: {"model": state, **PLAIN_VALUES}, "from model"),
        (lambda state: {"model_state_dict": state, "loss": 0.5}, "from model_state_dict"),
        (lambda state: {"model": {"w": EXTRA}, "model_ema": state}, "from model_ema"),
        (lambda state: {"checkpoint": {"state_dict": {"model": state}}}, "checkpoint.state_dict.m"),
        (lambda state: prefixed("module.", state), "without the prefix 'module.'"),
        (
            lambda state: {"state_dict": prefixed("model.", state)},
            "dict without the prefix 'model.'",
        ),
        (lambda state: prefixed("net.", state), "without the prefix 'net.'"),
        (lambda state: prefixed("_orig_mod.module.model.", state), "'_orig_mod.module.model.'"),
        (lambda state: prefixed("my_own.encoder.", state), "'my_own.encoder.'"),
        (lambda state: {"n_averaged": EXTRA, **prefixed("module.", state)}, "not used: n_averaged"),
        (lambda state: prefixed("encoder.", state) | {"decoder.w": EXTRA}, "not used: decoder (1)"),
        (lambda state: {**state, "projector.w": EXTRA, "queue": EXTRA}, "projector (1), queue (1)"),
        (lambda state: {"net": state, "optimizer": {"exp_avg": of_noise(state)}}, "read from net"),
        (lambda state: {"a": dict(state), "b": dict(state)}, "read from a"),
        (lambda state: {"gradcam_net": state}, "read from gradcam_net"),
        (lambda state: {"optimal": state, "optimizerState": of_noise(state)}, "read from optimal"),
        (lambda state: {"net": state, "opt": {"m": of_noise(state)}}, "read from net"),
        (lambda state: {"lastModel": of_noise(state), "bestModel": state}, "from bestModel; not"),
        (lambda state: {"models": [state]}, "read from models.0"),
        (lambda state: (state, 3), "read from 0"),
        (lambda state: {key: value.numpy() for key, value in state.items()}, ""),
        (
            lambda state: {"state_dict": of_noise(state), "state_dict_ema": state},
            "; not those",
        ),
        (lambda state: {"model": of_noise(state), "ema": {"shadow": state}}, "from ema.shadow"),
        (lambda state: {"last": of_noise(state), "best": state}, "from best; not those from last"),
        (lambda state: {"best": {"model": of_noise(state), "ema": state}}, "read from best.ema"),
        (dino, "from teacher without the prefix 'backbone.'; not those from student"),
        (
            moco,
            "encoder_q.'; not those from state_dict without the prefix 'module.encoder_k",
        ),
        (byol, "'online_encoder.net.'; not those without the prefix 'target_encoder.net.'"),
        (
            lambda state: prefixed("momentum_encoder.", of_noise(state)) | state,
            "at the outermost",
        ),
    ],
)
def test_a_file_is_loaded_however_it_is_wrapped_and_says_so(
    tmp_path: Path, trained: nn.Module, wrap: Wrap, said: str
) -> None:
    torch.save(wrap(trained.state_dict()), tmp_path / "mine.pth")
    recipe = ImageRecipe(backbone="test_resnet", weights=str(tmp_path / "mine.pth"), image_size=64)
    backbone = build_backbone(recipe)
    assert same(backbone.network, trained.state_dict())
    assert backbone.weights is not None
    reading = backbone.weights.record(backbone.network).get("reading", "")
    assert said in reading if said else not reading


def test_the_layers_of_a_sequential_get_their_names_back(tmp_path: Path) -> None:
    whole = models.resnet18(num_classes=2)
    own_names = list(dict(whole.named_children()))
    torch.save(
        prefixed("features.", nn.Sequential(*whole.children()).state_dict()), tmp_path / "x.pth"
    )
    assert own_names[4] == "layer1"
    assert same(load(tmp_path / "x.pth", "resnet18"), whole.state_dict())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_taken_as_they_are(
    tmp_path: Path, trained: nn.Module, dtype: torch.dtype
) -> None:
    torch.save(trained.to(dtype).state_dict(), tmp_path / "mine.pth")
    assert same(load(tmp_path / "mine.pth"), trained.float().state_dict())


def test_two_networks_without_a_rank_are_refused(tmp_path: Path, trained: nn.Module) -> None:
    state = trained.state_dict()
    torch.save({"left": state, "right": of_noise(state)}, tmp_path / "mine.pth")
    with pytest.raises(RecipeError, match=r"different weights .* from left and from right; save"):
        load(tmp_path / "mine.pth")


def test_a_file_of_other_names_shows_the_first_of_both_sides(tmp_path: Path) -> None:
    torch.save(models.densenet121().state_dict(), tmp_path / "x.pth")
    with pytest.raises(RecipeError, match=r"names begin with features\.conv0.* and not with conv1"):
        load(tmp_path / "x.pth", "resnet18")


def test_the_weights_of_a_larger_network_are_refused_below_a_prefix_too(tmp_path: Path) -> None:
    torch.save(prefixed("model.", resnet("resnet34")), tmp_path / "x.pth")
    with pytest.raises(RecipeError, match=r"the network has no layer1\.2\.conv1\.weight"):
        load(tmp_path / "x.pth", "resnet18")


@pytest.mark.parametrize("name", ["mine.safetensors", "mine.pth"])
def test_safetensors_are_loaded_whatever_they_are_called(
    tmp_path: Path, trained: nn.Module, name: str
) -> None:
    save_file(prefixed("model.", trained.state_dict()), tmp_path / name)
    assert same(load(tmp_path / name), trained.state_dict())


@pytest.mark.parametrize("backbone", ["test_resnet", "resnet18", "small_cnn"])
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
        backbone="dinov2_vits14", weights=str(tmp_path / "dinov2.pth"), image_size=70
    )
    ours = build_backbone(recipe).network.eval()

    theirs = timm.create_model("vit_small_patch14_dinov2", num_classes=0, dynamic_img_size=True)
    theirs.load_state_dict(published.state_dict())
    images = torch.randn(2, 3, 70, 70)
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


def written(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def zipped(name: str) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, b"content")

    return write


def tarred(*names: str) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with tarfile.open(path, "w") as archive:
            for name in names:
                archive.addfile(tarfile.TarInfo(name))

    return write


def programmed(path: Path) -> None:
    """Write a program, with the parts by which it is known, without the deprecated compiler."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("data.pkl", "constants.pkl", "code/net.py"):
            archive.writestr(f"net/{name}", b"content")


@pytest.mark.parametrize(
    ("name", "write", "says"),
    [
        ("x.pth", Path.exists, "there is no weights file .*; put it there"),
        ("x.pth", lambda path: path.write_bytes(b""), "is damaged; set weights to another"),
        ("x.pth", lambda path: path.write_text("nonsense"), "is damaged; set weights to another"),
        ("x.safetensors", lambda path: path.write_bytes(b"{}"), "is JSON, as a server's answer"),
        ("x.pth", lambda path: torch.save([1, 2], path), "holds a list .* save its state_dict"),
        ("x.pth", Path.mkdir, "x.pth is a folder; set weights to the file in it"),
        (f"{'x' * 300}.pth", lambda path: path, "cannot be reached .*too long.*; correct the path"),
        ("x.pth", written(bytes(2000)), "x.pth is damaged; copy or fetch it again"),
        ("x.json", written(b'{"weight_map": {"a": "b"}}'), "is the index of weights in several"),
        ("x.json", written(b'{"error": "Unauthorized"}'), "is JSON, .*; fetch the file itself"),
        (
            "x.pth",
            lambda path: torch.save({"model": {}, "loss": nn.CrossEntropyLoss()}, path),
            "holds more than tensors",
        ),
        (
            "x.pth",
            written(b"version https://git-lfs.github.com/spec/v1"),
            "pointer of Git LFS; .* pull",
        ),
        ("x.pth", written(b"<!DOCTYPE html><html>"), "is a web page .*; fetch the file itself"),
        ("x.pth", written(b"\x1f\x8b\x08\x00"), "is a file compressed with gzip; unpack it"),
        ("x.pth", written(b"\x89HDF\r\n"), "is an HDF5 file; convert"),
        ("x.pth", written(pickle.dumps({"a": 1})), "pickle that torch.save did not write"),
        ("x.pth", zipped("own.pth"), r"is a zip archive \(of own.pth\); unpack it"),
        ("x.pth", tarred("own.pth"), r"is a tar archive \(of own.pth\); unpack it"),
        (
            "x.pth.tar",
            tarred("pickle", "storages"),
            r"tar format of PyTorch before 0\.1\.10; load",
        ),
        ("x.pth", programmed, "is a TorchScript program; save its state_dict"),
        (
            "x.pth",
            lambda path: torch.save(nn.Linear(1, 1), path),
            r"whole network \(torch.nn.modules.linear.Linear\), .* save its state_dict",
        ),
        (
            "x.pth",
            lambda path: torch.save(Whatever(), path, _use_new_zipfile_serialization=False),
            r"more than tensors \(.*Whatever\), which is not loaded: .* save its state_dict",
        ),
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


def test_a_file_with_a_wrong_checksum_inside_is_damaged(tmp_path: Path, trained: nn.Module) -> None:
    torch.save(trained.state_dict(), tmp_path / "x.pth")
    content = bytearray((tmp_path / "x.pth").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4096] = bytes(4096)
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(RecipeError, match=r"the checksum of its part x/data/\d+ is wrong; copy"):
        load(tmp_path / "x.pth")


def test_a_file_that_was_written_without_checksums_is_loaded(
    tmp_path: Path, trained: nn.Module
) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(trained.state_dict(), tmp_path / "x.pth")
    finally:
        torch.serialization.set_crc32_options(True)
    assert same(load(tmp_path / "x.pth"), trained.state_dict())


@pytest.mark.parametrize(
    ("change", "fix"),
    [
        (
            lambda state: {**state, "conv1.weight": torch.rand(64, 1, 7, 7)},
            "bring conv1.weight, the only difference, to the network's shape in the file, or set",
        ),
        (
            lambda state: {key: value for key, value in state.items() if "run" not in key},
            "set backbone to the network of these weights",
        ),
        (
            lambda state: {key: state[key] for key, _ in models.resnet18().named_parameters()},
            "save the network's whole state_dict",
        ),
    ],
)
def test_a_file_that_almost_fits_says_how_it_would_fit(
    tmp_path: Path, change: Wrap, fix: str
) -> None:
    torch.save(change(resnet("resnet18")), tmp_path / "x.pth")
    with pytest.raises(RecipeError, match=fix):
        load(tmp_path / "x.pth", "resnet18")


def test_a_path_in_the_home_of_an_unknown_user_is_refused() -> None:
    with pytest.raises(RecipeError, match="there is no weights file ~nobody-of-this-name"):
        find_weights(ImageRecipe(weights="~nobody-of-this-name/x.pth"))


def test_half_a_file_is_damaged(tmp_path: Path, trained: nn.Module) -> None:
    path = tmp_path / "x.pth"
    torch.save(trained.state_dict(), path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(RecipeError, match="is damaged: its end is missing; copy or fetch it again"):
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
