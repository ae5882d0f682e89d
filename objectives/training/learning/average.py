"""Weights that follow the trained ones slowly: validated and kept in their place."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from objectives.models.classifier import Classifier


class Average(AveragedModel):
    """A model beside the trained one; `update_parameters` moves it after every step."""

    module: Classifier


def averaged(model: Classifier, decay: float) -> Average:
    """Give the exponential moving average of a model's weights, in `module`.

    Early on the average is short, min(decay, (1 + steps) / (10 + steps)) as TensorFlow's, so that
    few steps do not leave it at the random start. Buffers are the trained model's own.
    """

    @torch.no_grad()
    def move(averages: Sequence[Tensor], weights: Sequence[Tensor], _: Tensor | int) -> None:
        steps = int(average.n_averaged)  # in host memory: what is handed over would be waited for
        kept = min(decay, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(list(averages), list(weights), 1 - kept)

    average = Average(model, multi_avg_fn=move)
    return average
