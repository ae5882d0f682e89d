"""A small network for tiny images, which no library has."""

from torch import Tensor, nn

FEATURES = 128


class SmallCNN(nn.Module):
    """Four convolutions of 16 to 128 channels, each halving the side."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _block(3, 16), _block(16, 32), _block(32, 64), _block(64, FEATURES)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, 3, H, W) to features (B, 128)."""
        features: Tensor = self.layers(images).mean(dim=(2, 3))
        return features


def _block(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
    )
