"""What turns features into logits."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class CosineHead(nn.Module):
    """Logits that are scaled cosines between an image's features and each class (no bias).

    The head LDAM is defined on (Cao et al. 2019, arXiv:1906.07413, section 3.2 and their code).
    """

    def __init__(self, features: int, classes: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(F.normalize(torch.randn(classes, features), dim=1))

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, features) to (B, classes), each between -scale and scale."""
        cosines = F.linear(F.normalize(features, dim=1), F.normalize(self.weight, dim=1))
        return self.scale * cosines
