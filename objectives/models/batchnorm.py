"""How few images may pass through a network at once: a single one is too few for BatchNorm."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from objectives.contract import RecipeError
from objectives.models.stages import stages
from objectives.recipe.classifier import ClassifierRecipe


def smallest_part(recipe: ClassifierRecipe, backbone: nn.Module) -> int:
    """Return the fewest images that may pass at once: 2 where BatchNorm learns, else 1.

    The variance of one image is 0 where the last feature map is a single pixel, and noise
    elsewhere. Raises RecipeError where the recipe asks for parts of one image.
    """
    if not _learns_batchnorm(backbone, recipe.trained_stages):
        return 1
    if recipe.micro_batch == 1:
        raise RecipeError(
            f"{recipe.objective}: micro_batch is 1, and BatchNorm learns from two or more "
            "images at once",
            fix="set micro_batch to 2 or more, or to 0 for as many as memory holds",
        )
    return 2


def _learns_batchnorm(backbone: nn.Module, trained_stages: int) -> bool:
    """Return whether a BatchNorm is among the stages that ever learn; 0 stages are all."""
    learning = {each for stage in stages(backbone)[-trained_stages:] for each in stage}
    norms = (each for each in backbone.modules() if isinstance(each, _BatchNorm))
    # One without weights belongs to no stage; it may learn.
    return any(not own or own & learning for own in (set(each.parameters()) for each in norms))
