"""How gradients become steps."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from objectives.models.classifier import Classifier
from objectives.recipe.optimization import Optimization


def build_optimizer(recipe: Optimization, model: Classifier) -> torch.optim.Optimizer:
    """Give the recipe's optimizer over all parameters, those that are frozen now as well.

    Every group has a `scale`, its learning rate as a multiple of the schedule's.
    """
    groups = [
        {"params": parameters, "scale": scale, **({} if decays else {"weight_decay": 0.0})}
        for (scale, decays), parameters in _grouped(recipe, model).items()
    ]
    common: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    match recipe.optimizer:
        case "sgd":
            sgd = torch.optim.SGD(groups, momentum=recipe.momentum, fused=True, **common)
            if recipe.momentum:
                sgd.register_step_pre_hook(_begin_at_rest)
            return sgd
        case "rmsprop":
            return torch.optim.RMSprop(groups, momentum=recipe.momentum, **common)
        case "rmsprop_tf":
            from timm.optim.rmsprop_tf import RMSpropTF  # timm only when it is asked for

            return RMSpropTF(groups, momentum=recipe.momentum, **common)
        case "adam":
            return torch.optim.Adam(groups, fused=True, **common)
    return torch.optim.AdamW(groups, fused=True, **common)


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Make the next step one of this learning rate, each group's by its scale."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * group["scale"]


def _begin_at_rest(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    """Give a momentum of zero to what begins to learn, which is what SGD's first step means.

    The fused SGD itself knows only whole groups that begin, not a stage that joins the head's.
    """
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None and not optimizer.state[parameter]:
                optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter.grad)


def _grouped(
    recipe: Optimization, model: Classifier
) -> dict[tuple[float, bool], list[nn.Parameter]]:
    """Give the parameters by the scale of their learning rate and by whether they decay."""
    exempt = set(_without_decay(model))
    groups: dict[tuple[float, bool], list[nn.Parameter]] = defaultdict(list)
    for scale, parameter in _scaled(recipe, model):
        decays = parameter.ndim > 1 and parameter not in exempt
        groups[scale, decays].append(parameter)
    return groups


def _scaled(recipe: Optimization, model: Classifier) -> Iterator[tuple[float, nn.Parameter]]:
    for before_last, stage in enumerate(reversed(model.stages)):
        for parameter in stage:
            yield recipe.layer_decay**before_last, parameter
    for parameter in model.head_parameters():
        yield recipe.head_multiple, parameter


def _without_decay(model: Classifier) -> Iterator[nn.Parameter]:
    """Give what a backbone itself names as free of decay beside norms and biases: positions."""
    named: set[str] = getattr(model.backbone, "no_weight_decay", set)()
    return (each for name, each in model.backbone.named_parameters() if name in named)
