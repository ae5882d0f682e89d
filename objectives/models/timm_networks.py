"""timm's networks and where their weights are; timm itself is loaded only when one is asked for."""

import sys
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from objectives.contract import RecipeError
from objectives.recipe.fields import nearest

State = dict[str, Tensor]

# What timm's code raises where a size or a file is not what it was written for.
MISFITS = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError),
    *(TypeError, ValueError),
)


def build_timm(name: str, image_size: int) -> nn.Module:
    """Give timm's network of that name, with its pretrained tag or without, less its classifier.

    One that is made for a single size, as most vision transformers are, is made for this one.
    """
    import timm

    # Positions of a fixed size: resizing them at every step would cost time, and its backward pass
    # on a GPU has no deterministic form.
    is_fixed = timm_settings(name).fixed_input_size
    size: dict[str, Any] = {"img_size": image_size} if is_fixed else {}
    try:
        network: nn.Module = timm.create_model(name, pretrained=False, num_classes=0, **size)
    except MISFITS as error:
        raise RecipeError(
            f"image_classifier: timm cannot build {name} for an image_size of {image_size} "
            f"({_first_line(error)}); set image_size to 0, which is its own, or choose another "
            "backbone"
        ) from error
    return network


def timm_settings(name: str) -> Any:
    """Give timm's PretrainedCfg: input size, mean, std, licence and where the weights are.

    Raises RecipeError with the nearest tag when there is no such one.
    """
    import timm
    from timm.models import PretrainedCfg

    try:
        return timm.get_pretrained_cfg(name) or PretrainedCfg()
    except RuntimeError as error:
        tagged = timm.list_pretrained(f"{name.split('.')[0]}.*") or [name.split(".")[0]]
        raise RecipeError(
            f"image_classifier: timm has no backbone {name!r}; did you mean "
            f"{nearest(name, tagged)!r}?"
        ) from error


def features_of(network: nn.Module, name: str) -> int:
    """Give how many numbers the network makes of an image; RecipeError when it says of none."""
    # Some widen what they pooled before they hand it out.
    for attribute in ("head_hidden_size", "num_features"):
        features = getattr(network, attribute, None)
        if isinstance(features, int):
            return features
    raise no_features(name)


def no_features(name: str) -> RecipeError:
    """Give the error for a network that makes something else of an image than one vector."""
    return RecipeError(
        f"image_classifier: {name} does not turn an image into one vector of features, which a "
        "head could classify by; choose another backbone"
    )


def converter(name: str) -> Callable[[State, nn.Module], State] | None:
    """Give what turns the files of a network's authors into timm's own layout, where one does."""
    from timm.models import model_entrypoint

    module = sys.modules[model_entrypoint(name.split(".")[0]).__module__]
    return getattr(module, "checkpoint_filter_fn", None)


def classifiers_of(network: nn.Module) -> tuple[str, ...]:
    """Give the names of the layers that a file has and a network without a classifier has not."""
    named = getattr(network, "pretrained_cfg", {}).get("classifier") or ()
    return (named,) if isinstance(named, str) else tuple(named)


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
