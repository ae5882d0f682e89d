"""Tests of the 3-D networks: MedicalNet's weights fit, four modalities count as one, stages."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from objectives.contract import RecipeError
from objectives.models.stages import stages
from objectives.models.volume_networks import (
    DESIGNS,
    MaxPool,
    PaddedShortcut,
    build_volume_backbone,
)
from objectives.recipe.volume import VOLUME_BACKBONES, VolumeRecipe

MODALITIES = 4


def medicalnet(
    layers: int = 1, shortcut: str = "B", channels: int = 1, width: float = 0.25
) -> nn.Module:
    """A network as MedicalNet's authors built it: one channel, stride 2, no bias beside a norm.

    width: share of their channels; a quarter is built in a sixteenth of the time.
    """
    from monai.networks.nets.resnet import ResNet  # 4 s, which each process would take to collect

    torch.manual_seed(0)
    network: nn.Module = ResNet(
        "basic",
        [layers] * 4,
        [64, 128, 256, 512],
        n_input_channels=channels,
        conv1_t_stride=2,
        shortcut_type=shortcut,
        widen_factor=width,
        feed_forward=False,
        bias_downsample=False,
    )
    return network.eval()


def saved(network: nn.Module, path: Path, **more: Tensor) -> Path:
    """Write what MedicalNet's files hold: DataParallel's names, an epoch and an optimizer."""
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    without_counts = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    torch.save({"epoch": 7, "state_dict": {**without_counts, **more}, "optimizer": {}}, path)
    return path


def built(
    path: Path | str, backbone: str = "resnet10_3d_quarter", *, dilated: bool = False
) -> nn.Module:
    recipe = VolumeRecipe(backbone=backbone, weights=str(path), dilated=dilated, image_size=32)
    return build_volume_backbone(recipe, MODALITIES).network.eval()


@torch.no_grad()
def features(network: nn.Module, side: int = 32) -> Tensor:
    """What it makes of one scan, given as often as it has channels."""
    scan = torch.randn(2, 1, side, side, side, generator=torch.Generator().manual_seed(1))
    channels = network.get_parameter("conv1.weight").shape[1]
    answer: Tensor = network(scan.expand(-1, channels, -1, -1, -1))
    return answer


def test_four_equal_modalities_have_the_features_of_medicalnets_one(tmp_path: Path) -> None:
    one = medicalnet(width=1.0)
    four = built(saved(one, tmp_path / "resnet_10.pth"), "resnet10_3d")
    assert torch.allclose(features(four), features(one), rtol=1e-4, atol=1e-5)


def test_a_network_with_zero_padded_shortcuts_has_the_same_features_too(tmp_path: Path) -> None:
    one = medicalnet(layers=2, shortcut="A", width=1.0)
    four = built(saved(one, tmp_path / "resnet_18.pth"), "resnet18_3d")
    assert torch.allclose(features(four), features(one), rtol=1e-4, atol=1e-5)


def test_a_gradient_passes_the_zero_padded_shortcut() -> None:
    volumes = torch.randn(1, 2, 4, 4, 4, requires_grad=True)
    PaddedShortcut(3, stride=2)(volumes).sum().backward()
    assert volumes.grad is not None
    assert volumes.grad.sum() == 2 * 2**3  # both channels, every other voxel of each side


def test_four_different_modalities_are_averaged_by_the_inflated_layer(tmp_path: Path) -> None:
    one = medicalnet()
    four = built(saved(one, tmp_path / "resnet_10.pth"))
    scans = torch.randn(1, MODALITIES, 16, 16, 16)
    averaged = one.conv1(scans.mean(dim=1, keepdim=True))
    assert torch.allclose(four.get_submodule("conv1")(scans), averaged, atol=1e-5)


def test_our_own_file_of_four_modalities_is_loaded_as_it_is(tmp_path: Path) -> None:
    four = medicalnet(channels=MODALITIES)
    assert torch.equal(
        built(saved(four, tmp_path / "four.pt")).get_parameter("conv1.weight"), four.conv1.weight
    )


def test_medicalnets_segmentation_layers_are_left_out(tmp_path: Path) -> None:
    head = {"module.conv_seg.0.weight": torch.ones(128, 32, 2, 2, 2)}
    assert built(saved(medicalnet(), tmp_path / "resnet_10.pth", **head))


@pytest.mark.parametrize(
    ("network", "found"),
    [
        (lambda: medicalnet(layers=2), r"the network has no layer1\.1\.conv1\.weight"),
        (lambda: medicalnet(shortcut="A"), r"it has no layer2\.0\.downsample\.0\.weight"),
        (lambda: medicalnet(channels=2), r"conv1\.weight is 16x2x7x7x7 in the file and 16x4x7x7x7"),
    ],
)
def test_weights_of_another_network_are_refused_with_the_fix(
    tmp_path: Path, network: Callable[[], nn.Module], found: str
) -> None:
    path = saved(network(), tmp_path / "other.pth")
    with pytest.raises(
        RecipeError, match=rf"^volume_classifier: .*other\.pth .*{found}.* set back"
    ):
        built(path)


def test_a_missing_file_is_an_error_that_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"^volume_classifier: there is no weights file .* none$"):
        built(tmp_path / "resnet_50.pth")


def test_what_is_recorded_of_a_file_is_its_own(tmp_path: Path) -> None:
    path = saved(medicalnet(), tmp_path / "resnet_10.pth")
    backbone = build_volume_backbone(
        VolumeRecipe(backbone="resnet10_3d_quarter", weights=str(path)), MODALITIES
    )
    assert backbone.weights is not None
    record = backbone.weights.record(backbone.network)
    assert record["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_dilated_stages_keep_their_side_and_take_the_same_weights(tmp_path: Path) -> None:
    path = saved(medicalnet(), tmp_path / "resnet_10.pth")
    strided, dilated = built(path), built(path, dilated=True)
    at_layer2 = torch.zeros(1, 32, 6, 6, 6)
    sides = [
        network.get_submodule("layer4")(network.get_submodule("layer3")(at_layer2)).shape[-1]
        for network in (strided, dilated)
    ]
    assert sides == [2, 6]
    assert not torch.allclose(features(strided), features(dilated), rtol=0.1)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last_3d])
def test_pooling_by_planes_and_lines_gives_the_numbers_of_pooling_by_cubes(
    layout: torch.memory_format,
) -> None:
    volumes = torch.randn(2, 3, 7, 8, 9).to(memory_format=layout)
    assert torch.equal(MaxPool()(volumes), nn.MaxPool3d(3, stride=2, padding=1)(volumes))


@pytest.mark.parametrize("backbone", ["resnet10_3d_quarter", "resnet10_3d", "resnet18_3d"])
def test_every_parameter_stands_in_one_stage_and_the_stem_is_the_first(backbone: str) -> None:
    network = built("none", backbone)
    staged = stages(network)
    listed = [parameter for stage in staged for parameter in stage]
    assert {id(each) for each in listed} == {id(each) for each in network.parameters()}
    assert (len(listed), len(staged)) == (len(list(network.parameters())), 5)
    assert staged[0][0] is network.get_parameter("conv1.weight")


def test_every_backbone_that_can_be_named_can_be_built() -> None:
    assert tuple(DESIGNS) == VOLUME_BACKBONES


def test_resnet50_makes_2048_features_of_46_million_parameters() -> None:
    backbone = build_volume_backbone(VolumeRecipe(backbone="resnet50_3d"), modalities=1)
    count = sum(each.numel() for each in backbone.network.parameters())
    assert (backbone.features, round(count / 1e6, 1)) == (2048, 46.2)
