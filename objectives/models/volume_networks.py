"""MONAI's 3-D ResNets, as MedicalNet's weights were trained in them, for several modalities.

MONAI is loaded only when one is built; it takes three seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from objectives.contract import RecipeError
from objectives.models.timm_networks import State
from objectives.models.weights import Weights, load_weights, local_weights
from objectives.recipe.volume import VolumeRecipe

# Channels of the four stages before a block's own expansion.
PLANES = [64, 128, 256, 512]
DILATIONS = {"layer3": 2, "layer4": 4}
# What MedicalNet's files have beside a backbone: its segmentation, or a classifier.
CLASSIFIERS = ("conv_seg", "fc")


@dataclass(frozen=True)
class Design:
    """How a ResNet is built. shortcut: A pads with zeros and has no weights, B is a convolution.

    Each is the one that MedicalNet has published weights for (Chen et al. 2019, arXiv:1904.00625).
    width: of its channels, as a share of the published.
    """

    block: Literal["basic", "bottleneck"]
    layers: tuple[int, ...]
    shortcut: Literal["A", "B"]
    width: float = 1.0


DESIGNS: Mapping[str, Design] = {
    "resnet10_3d_quarter": Design("basic", (1, 1, 1, 1), "B", 0.25),
    "resnet10_3d": Design("basic", (1, 1, 1, 1), "B"),
    "resnet18_3d": Design("basic", (2, 2, 2, 2), "A"),
    "resnet34_3d": Design("basic", (3, 4, 6, 3), "A"),
    "resnet50_3d": Design("bottleneck", (3, 4, 6, 3), "B"),
}


@dataclass(frozen=True)
class VolumeBackbone:
    """A network that maps (B, modalities, S, S, S) to (B, features), and the file it began from."""

    network: nn.Module
    features: int
    weights: Weights | None = None


def build_volume_backbone(recipe: VolumeRecipe, modalities: int) -> VolumeBackbone:
    """Give the recipe's backbone with its weights; without any it starts from torch's random state.

    Raises RecipeError when MONAI is missing or the weights are of something else.
    """
    network = _resnet(DESIGNS[recipe.backbone], modalities)
    if recipe.dilated:
        for stage, dilation in DILATIONS.items():
            _dilate(getattr(network, stage), dilation)
    weights = None if recipe.weights == "none" else local_weights(recipe)
    if weights:
        load_weights(network, weights, CLASSIFIERS, inflated)
    return VolumeBackbone(network, network.in_planes, weights)


def inflated(state: State, network: nn.Module) -> State:
    """Give weights of one channel to a network of several: repeated, and divided by how many.

    Where all modalities are equal, the first layer then answers as it did to the one.
    """
    first, own = state["conv1.weight"], network.get_parameter("conv1.weight")
    if first.shape[1] != 1:
        return state
    return {**state, "conv1.weight": first.expand_as(own) / own.shape[1]}


class MaxPool(nn.Module):
    """MaxPool3d(3, stride=2, padding=1), one plane and then one line after the other.

    The same numbers; torch has no deterministic backward pass for the whole on a GPU.
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
    """Every other voxel, and zeros for the channels that are new.

    MONAI's own gives the same numbers and lets no gradient pass.
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
    """Give MONAI's network with the layers that a GPU can repeat to the bit, and no classifier."""
    try:
        from monai.networks.nets.resnet import ResNet
    except ImportError as error:
        raise RecipeError(
            "volume_classifier: its networks are MONAI's, which is not here; "
            "pip install 'search[volumes]'"
        ) from error
    network: Any = ResNet(
        design.block,
        list(design.layers),
        PLANES,
        n_input_channels=modalities,
        conv1_t_stride=2,  # by default 1, into which MedicalNet's weights load and mean nothing
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
    """Let a stage keep its side and look as much wider, as MedicalNet's code does."""
    for module in stage.modules():
        if isinstance(module, nn.Conv3d):
            module.stride = (1, 1, 1)
            if module.kernel_size == (3, 3, 3):
                module.dilation = module.padding = (dilation, dilation, dilation)
        if isinstance(module, PaddedShortcut):
            module.stride = 1
