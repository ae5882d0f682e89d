"""The branch that turns a row of the table into features beside the image's."""

from torch import nn

from objectives.recipe.metadata import Metadata


def build_branch(recipe: Metadata, table_width: int) -> nn.Module:
    """Build a network from (B, table_width) to (B, metadata_units).

    A single layer: the head behind it may have a hidden layer of its own.
    """
    dropout = [nn.Dropout(recipe.metadata_dropout)] if recipe.metadata_dropout else []
    return nn.Sequential(nn.Linear(table_width, recipe.metadata_units), nn.ReLU(), *dropout)
