"""A backbone and a head, and beside them what reads the table: the network of one trial."""

from collections.abc import Iterator
from typing import Self

import torch
from torch import Tensor, nn

from objectives.data.pixels.normalization import Normalization
from objectives.models.backbones import build_backbone
from objectives.models.heads import build_head
from objectives.models.metadata import build_branch
from objectives.models.stages import Stage, stages
from objectives.recipe.image import ImageRecipe


class Classifier(nn.Module):
    """Pixels in, logits out; the head computes in float32 whatever the backbone computes in.

    normalization: how the pixels it is given must have been shifted and scaled. branch: what turns
    a row of the table into features, which the head sees behind the image's; None without a table.
    """

    def __init__(
        self,
        backbone: nn.Module,
        head: nn.Module,
        normalization: Normalization,
        branch: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.normalization = normalization
        self.branch = branch

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The backbone's parameters, from the input to the output, each in one stage."""
        return stages(self.backbone)

    def head_parameters(self) -> Iterator[nn.Parameter]:
        """Yield what is new to every study, and learns in frozen epochs too: head and branch."""
        yield from self.head.parameters()
        if self.branch is not None:
            yield from self.branch.parameters()

    def forward(self, images: Tensor, tabular: Tensor | None = None) -> Tensor:
        """Map (B, C, *spatial), and a table (B, F) where there is one, to logits (B, classes)."""
        features = self.backbone(images)
        # bfloat16 would move a scaled cosine in steps of a tenth.
        with torch.autocast(features.device.type, enabled=False):
            features = features.float()
            if self.branch is not None:
                features = torch.cat([features, self.branch(tabular)], dim=1)
            logits: Tensor = self.head(features)
        return logits

    def learn(self, last_stages: int | None) -> None:
        """Let the head and so many stages learn, counted from the last; None: all of them."""
        all_stages = self.stages
        frozen = 0 if last_stages is None else max(0, len(all_stages) - last_stages)
        for number, stage in enumerate(all_stages):
            for parameter in stage:
                parameter.requires_grad_(number >= frozen)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Switch to training all that learns: what is frozen stays as in validation.

        A frozen BatchNorm in training would still move its statistics, and dropout still drop.
        """
        super().train(mode)
        for module in self.modules() if mode else ():
            parameters = list(module.parameters())
            if parameters and not any(each.requires_grad for each in parameters):
                module.eval()
        return self


def build_classifier(recipe: ImageRecipe, classes: int, table_width: int = 0) -> Classifier:
    """Give the network a recipe asks for; what has no weights starts from torch's random state.

    table_width: how many numbers stand beside each image. Raises RecipeError when the backbone or
    its weights cannot be had.
    """
    backbone = build_backbone(recipe)
    branch = build_branch(recipe, table_width) if table_width else None
    beside = recipe.metadata_units if table_width else 0
    head = build_head(recipe, backbone.features + beside, classes)
    return Classifier(backbone.network, head, backbone.normalization, branch)
