"""The moving average of the trained weights, which is validated and kept instead of them."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from objectives.models.classifier import Classifier


class Average(AveragedModel):
    """A copy of the trained model; `update_parameters` moves its weights after every step."""

    module: Classifier


def averaged(model: Classifier, decay: float) -> Average:
    """Build the exponential moving average of a model's weights; its `module` is the average.

    The decay is min(decay, (1 + steps) / (10 + steps)), as in TensorFlow, so that the average
    forgets the random start within few steps. Its buffers are those of the trained model.
    """

    @torch.no_grad()
    def move(averages: Sequence[Tensor], weights: Sequence[Tensor], _: Tensor | int) -> None:
        # A number in host memory: the third argument would make the CPU wait for the GPU.
        steps = int(average.n_averaged)
        kept = min(decay, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(list(averages), list(weights), 1 - kept)

    average = Average(model, multi_avg_fn=move)
    return average
