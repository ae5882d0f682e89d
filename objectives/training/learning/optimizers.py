"""The optimizer of a recipe, its parameter groups and their learning rates."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from objectives.models.classifier import Classifier
from objectives.recipe.optimization import Optimization
from objectives.training.learning.schedule import Rates, rates_from

# The group of a parameter: its number of stages before the last one (None in the head), and
# whether it has weight decay.
Key = tuple[int | None, bool]


def build_optimizer(recipe: Optimization, model: Classifier) -> torch.optim.Optimizer:
    """Build the recipe's optimizer over all parameters, including those that are frozen now.

    Every group holds its own learning rate, at first the highest of the schedule. Its
    `before_last` is the number of stages between it and the backbone's last one, None for the head.
    """
    groups = [
        {
            "params": parameters,
            "before_last": before_last,
            **({} if decays else {"weight_decay": 0.0}),
        }
        for (before_last, decays), parameters in _grouped(recipe, model).items()
    ]
    common: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    optimizer = _build(recipe, groups, common)
    set_learning_rates(optimizer, rates_from(recipe, recipe.learning_rate))
    return optimizer


def set_learning_rates(optimizer: torch.optim.Optimizer, rates: Rates) -> None:
    """Set the learning rates of the next step."""
    for group in optimizer.param_groups:
        before_last = group["before_last"]
        group["lr"] = rates.head if before_last is None else rates.of_stage(before_last)


def _build(
    recipe: Optimization, groups: list[dict[str, Any]], common: Mapping[str, Any]
) -> torch.optim.Optimizer:
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


def _begin_at_rest(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    """Start the momentum of newly learning parameters at zero, as in SGD's first step.

    The fused SGD does so only for whole groups, not for single parameters that join later.
    """
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None and not optimizer.state[parameter]:
                optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter.grad)


def _grouped(recipe: Optimization, model: Classifier) -> dict[Key, list[nn.Parameter]]:
    exempt = set(_without_decay(model))
    groups: dict[Key, list[nn.Parameter]] = defaultdict(list)
    for before_last, parameter in _placed(recipe, model):
        decays = parameter.ndim > 1 and parameter not in exempt
        groups[before_last, decays].append(parameter)
    return groups


def _placed(recipe: Optimization, model: Classifier) -> Iterator[tuple[int | None, nn.Parameter]]:
    for before_last, stage in enumerate(reversed(model.stages)):
        # Without layer decay all stages share a group: each group is a kernel of its own.
        for parameter in stage:
            yield 0 if recipe.layer_decay == 1.0 else before_last, parameter
    for parameter in model.head_parameters():
        yield None, parameter


def _without_decay(model: Classifier) -> Iterator[nn.Parameter]:
    """Yield the parameters that a backbone itself exempts from decay, such as positions."""
    named: set[str] = getattr(model.backbone, "no_weight_decay", set)()
    return (each for name, each in model.backbone.named_parameters() if name in named)
