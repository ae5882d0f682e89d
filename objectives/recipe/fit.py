"""Check a classifier's recipe against the size of the data that it is to be trained on."""

from objectives.contract import RecipeError
from objectives.recipe.classifier import ClassifierRecipe
from objectives.recipe.metadata import Metadata
from objectives.recipe.optimization import check_warmup_steps


def check_fit(recipe: ClassifierRecipe, images: int, classes: int, has_table: bool) -> None:
    """Raise RecipeError for a recipe that the data are too small for.

    Refused are: a batch larger than the training split, a sample too small to hold every class, a
    warm-up in steps that never ends, and a table where the images have none.

    images: in the training split.
    has_table: whether there are columns beside the images.
    """
    if isinstance(recipe, Metadata) and recipe.use_metadata and not has_table:
        raise RecipeError(
            f"{recipe.objective}: use_metadata is true and the images have no table beside them",
            fix="name its columns in `metadata` of the study's data, or set use_metadata to false",
        )
    _check_samples(recipe, classes)
    trained_on = min(images, recipe.max_train_samples or images)
    for name in ("batch_size", "micro_batch"):
        if getattr(recipe, name) > trained_on:
            raise RecipeError(
                f"{recipe.objective}: {name} {getattr(recipe, name)} is more than the {trained_on} "
                "images there are to train on",
                fix=f"set {name} to {trained_on} or less",
            )
    check_warmup_steps(recipe, trained_on)


def _check_samples(recipe: ClassifierRecipe, classes: int) -> None:
    for name in ("max_train_samples", "max_val_samples"):
        if 0 < getattr(recipe, name) < classes:
            raise RecipeError(
                f"{recipe.objective}: {name} {getattr(recipe, name)} is less than one image for "
                f"each of {classes} classes",
                fix=f"set {name} to {classes} or more, or to 0 for all images",
            )
