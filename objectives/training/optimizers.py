"""How gradients become steps."""

from typing import Any

import torch
from torch import nn

from objectives.recipe.image import ImageRecipe


def build_optimizer(recipe: ImageRecipe, model: nn.Module) -> torch.optim.Optimizer:
    """Give AdamW over all parameters; norms and biases (one dimension) do not decay."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [each for each in parameters if each.ndim > 1]},
        {"params": [each for each in parameters if each.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Make the next step one of this learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
