"""MONAI's 3-D ResNets, built as MedicalNet trained them, for several modalities.

MONAI is loaded only when a network is built; that takes three seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from objectives.contract import RecipeError
from objectives.models.unwrapping import State
from objectives.models.weights import Weights, load_weights, local_weights
from objectives.recipe.volume import VolumeRecipe

# Channels of the four stages before a block's own expansion.
PLANES = [64, 128, 256, 512]
DILATIONS = {"layer3": 2, "layer4": 4}
# The layers of MedicalNet's files that a backbone lacks: its segmentation, or a classifier.
CLASSIFIERS = ("conv_seg", "fc")


@dataclass(frozen=True, kw_only=True)
class Design:
    """How a ResNet is built, as MedicalNet published it (Chen et al. 2019, arXiv:1904.00625).

    block: of two or of three convolutions.
    layers: blocks in each of the four stages.
    shortcut: A pads with zeros and has no weights, B is a convolution.
    width: share of the published channels.
    """

    block: Literal["basic", "bottleneck"]
    layers: tuple[int, ...]
    shortcut: Literal["A", "B"]
    width: float = 1.0


DESIGNS: Mapping[str, Design] = {
    "resnet10_3d_quarter": Design(block="basic", layers=(1, 1, 1, 1), shortcut="B", width=0.25),
    "resnet10_3d": Design(block="basic", layers=(1, 1, 1, 1), shortcut="B"),
    "resnet18_3d": Design(block="basic", layers=(2, 2, 2, 2), shortcut="A"),
    "resnet34_3d": Design(block="basic", layers=(3, 4, 6, 3), shortcut="A"),
    "resnet50_3d": Design(block="bottleneck", layers=(3, 4, 6, 3), shortcut="B"),
}


@dataclass(frozen=True)
class VolumeBackbone:
    """A network that maps (B, modalities, S, S, S) to (B, features), and its file of weights."""

    network: nn.Module
    features: int
    weights: Weights | None = None


def build_volume_backbone(recipe: VolumeRecipe, modalities: int) -> VolumeBackbone:
    """Build the recipe's backbone; without weights it starts from torch's random state.

    Raises RecipeError when MONAI is missing or the weights do not fit.
    """
    network = _resnet(DESIGNS[recipe.backbone], modalities)
    if recipe.dilated:
        for stage, dilation in DILATIONS.items():
            _dilate(getattr(network, stage), dilation)
    weights = None if recipe.weights == "none" else local_weights(recipe)
    if weights:
        weights = load_weights(network, weights, CLASSIFIERS, inflated)
    return VolumeBackbone(network, network.in_planes, weights)


def inflated(state: State, network: nn.Module) -> State:
    """Repeat weights of one channel for a network of several, divided by their number.

    For equal modalities, the first layer then computes the same as for the single one.
    """
    first, own = state["conv1.weight"], network.get_parameter("conv1.weight")
    if first.shape[1] != 1:
        return state
    return {**state, "conv1.weight": first.expand_as(own) / own.shape[1]}


class MaxPool(nn.Module):
    """MaxPool3d(3, stride=2, padding=1) as a pool over planes and then one over lines.

    It computes the same numbers. torch has no deterministic backward pass of MaxPool3d on a GPU.
    """

    def forward(self, volumes: Tensor) -> Tensor:
        """Map (B, C, X, Y, Z) to half the sides, rounded up."""
        batch, channels, side, *_ = volumes.shape
        planes = F.max_pool2d(volumes.transpose(1, 2).flatten(0, 1), 3, 2, 1)
        halved = planes.view(batch, side, *planes.shape[1:]).transpose(1, 2)
        lines = F.max_pool2d(halved.flatten(3), (3, 1), (2, 1), (1, 0))
        return lines.reshape(batch, channels, -1, *planes.shape[2:])


class Mean(nn.Module):
    """AdaptiveAvgPool3d(1), which has no deterministic backward pass on a GPU either."""

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, X, Y, Z) to (B, C)."""
        return features.mean(dim=(2, 3, 4))


class PaddedShortcut(nn.Module):
    """Every other voxel, and zeros for the added channels.

    MONAI's own computes the same numbers but lets no gradient pass.
    """

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.channels, self.stride = channels, stride

    def forward(self, volumes: Tensor) -> Tensor:
        """Map (B, C, X, Y, Z) to `channels` and, with a stride of 2, half the sides."""
        step = slice(None, None, self.stride)
        kept = volumes[:, :, step, step, step]
        return F.pad(kept, (0, 0, 0, 0, 0, 0, 0, self.channels - kept.shape[1]))


def _resnet(design: Design, modalities: int) -> Any:
    """Build MONAI's network without a classifier, with layers that repeat to the bit on a GPU."""
    try:
        from monai.networks.nets.resnet import ResNet
    except ImportError as error:
        raise RecipeError(
            "volume_classifier: its networks are MONAI's, which is not installed",
            fix="pip install 'search[volumes]'",
        ) from error
    network: Any = ResNet(
        design.block,
        list(design.layers),
        PLANES,
        n_input_channels=modalities,
        conv1_t_stride=2,  # with the default of 1, MedicalNet's weights load but do not fit
        shortcut_type=design.shortcut,
        widen_factor=design.width,
        feed_forward=False,
        bias_downsample=False,
    )
    network.maxpool, network.avgpool = MaxPool(), Mean()
    for first in (network.layer2[0], network.layer3[0], network.layer4[0]):
        if design.shortcut == "A":
            first.downsample = PaddedShortcut(first.conv2.out_channels, first.stride)
    return network


def _dilate(stage: nn.Module, dilation: int) -> None:
    """Let a stage keep its side and widen its convolutions instead, as MedicalNet's code does."""
    for module in stage.modules():
        if isinstance(module, nn.Conv3d):
            module.stride = (1, 1, 1)
            if module.kernel_size == (3, 3, 3):
                module.dilation = module.padding = (dilation, dilation, dilation)
        if isinstance(module, PaddedShortcut):
            module.stride = 1
