"""The networks that turn images into features: torchvision's ResNets and a small CNN.

`python -m objectives.models.backbones resnet50` fetches weights before a search starts.
"""

import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torchvision import models

from objectives.contract import RecipeError

RGB = tuple[float, float, float]


@dataclass(frozen=True)
class Backbone:
    """How one backbone is built, its ImageNet weights, and how its pixels are normalised."""

    build: Callable[[], nn.Module]
    weights: models.WeightsEnum | None
    mean: RGB = (0.485, 0.456, 0.406)  # ImageNet's, as every torchvision preset has them
    std: RGB = (0.229, 0.224, 0.225)


class SmallCNN(nn.Module):
    """Four convolutions of 16 to 128 channels, each halving the side, for tiny images."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(_block(3, 16), _block(16, 32), _block(32, 64), _block(64, 128))
        self.fc = nn.Linear(128, 1000)  # where torchvision's networks have theirs

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, 3, H, W) to what fc makes of (B, 128)."""
        features: Tensor = self.fc(self.layers(images).mean(dim=(2, 3)))
        return features


BACKBONES = {
    "resnet18": Backbone(models.resnet18, models.ResNet18_Weights.IMAGENET1K_V1),
    "resnet34": Backbone(models.resnet34, models.ResNet34_Weights.IMAGENET1K_V1),
    "resnet50": Backbone(models.resnet50, models.ResNet50_Weights.IMAGENET1K_V2),
    "small_cnn": Backbone(SmallCNN, None, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
}


def build_backbone(name: str, weights: str, stem: str) -> tuple[nn.Module, int]:
    """Give a network that maps (B, 3, H, W) to (B, features), and the number of its features.

    weights: "none" starts from torch's random state, "imagenet" from `pretrained`. stem: "small"
    replaces a ResNet's first convolution and max-pool; it has no effect on small_cnn.
    """
    network = BACKBONES[name].build()
    if weights == "imagenet":
        network.load_state_dict(pretrained(name))
    if stem == "small" and isinstance(network, models.ResNet):
        network.conv1 = nn.Conv2d(3, 64, kernel_size=3, padding=1, bias=False)
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
        network.maxpool = nn.Identity()
    classifier, network.fc = network.fc, nn.Identity()
    return network, cast(nn.Linear, classifier).in_features


def pretrained(name: str) -> dict[str, Any]:
    """Give a backbone's ImageNet weights from torch's cache, downloaded if they are not there.

    Raises RecipeError naming the file when they can be had neither way.
    """
    weights = BACKBONES[name].weights
    if weights is None:
        raise RecipeError(f"{name} has no imagenet weights; set weights to none")
    file = f"{torch.hub.get_dir()}/checkpoints/{weights.url.rsplit('/', 1)[-1]}"
    try:
        return dict(weights.get_state_dict(progress=False, check_hash=True, weights_only=True))
    except OSError as error:
        raise RecipeError(
            f"{name}: {file} is not here and {weights.url} cannot be fetched ({error}); "
            "put the file there, or set weights to none"
        ) from error
    except (RuntimeError, EOFError, IndexError, pickle.UnpicklingError) as error:
        raise RecipeError(f"{name}: {file} is damaged; delete it to fetch it again") from error


def main(names: list[str]) -> int:
    """Fetch the weights of these backbones; 2 and one line on stderr when one cannot be had."""
    try:
        for name in names:
            pretrained(name)
    except RecipeError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _block(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
