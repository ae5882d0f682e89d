"""The network of one trial: a backbone, a head, and a branch for the table beside the images."""

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

    normalization: of the pixels that the network expects.
    branch: turns a row of the table into features, appended to the image's; None without a table.
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
        """The backbone's parameters by stage, from the input to the output."""
        return stages(self.backbone)

    def head_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the parameters of head and branch, which learn in frozen epochs too."""
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
        """Let the head and this many stages learn, counted from the last; None is all stages."""
        all_stages = self.stages
        frozen = 0 if last_stages is None else max(0, len(all_stages) - last_stages)
        for number, stage in enumerate(all_stages):
            for parameter in stage:
                parameter.requires_grad_(number >= frozen)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Switch to training, except for frozen layers, which stay as in validation.

        In training mode a frozen BatchNorm would update its statistics and dropout would act.
        """
        super().train(mode)
        for module in self.modules() if mode else ():
            parameters = list(module.parameters())
            if parameters and not any(each.requires_grad for each in parameters):
                module.eval()
        return self


def build_classifier(recipe: ImageRecipe, classes: int, table_width: int = 0) -> Classifier:
    """Build the network of a recipe; parts without weights start from torch's random state.

    Raises RecipeError when the backbone cannot be built or its weights cannot be had.

    table_width: the number of columns beside each image.
    """
    backbone = build_backbone(recipe)
    branch = build_branch(recipe, table_width) if table_width else None
    table_features = recipe.metadata_units if table_width else 0
    head = build_head(recipe, backbone.features + table_features, classes)
    return Classifier(backbone.network, head, backbone.normalization, branch)
