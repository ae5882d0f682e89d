"""timm's networks and the addresses of their weights; timm is loaded by the first call."""

import sys
from collections.abc import Callable
from typing import Any

from torch import nn

from objectives.contract import RecipeError
from objectives.models.unwrapping import State
from objectives.recipe.fields import nearest

# timm's code raises these for a size or a file that it does not support.
MISFITS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


def build_timm(name: str, image_size: int) -> nn.Module:
    """Build timm's network of a name, with or without a pretrained tag, and no classifier.

    A network with a fixed input size, like most vision transformers, is built for `image_size`.
    """
    import timm

    # Built for the size: resizing the positions at every step would cost time, and its backward
    # pass on a GPU has no deterministic form.
    is_fixed = timm_settings(name).fixed_input_size
    size: dict[str, Any] = {"img_size": image_size} if is_fixed else {}
    try:
        network: nn.Module = timm.create_model(name, pretrained=False, num_classes=0, **size)
    except MISFITS as error:
        raise RecipeError(
            f"image_classifier: timm cannot build {name} for an image_size of {image_size} "
            f"({_first_line(error)})",
            fix="set image_size to 0, which is its own, or choose another backbone",
        ) from error
    return network


def timm_settings(name: str) -> Any:
    """Return timm's PretrainedCfg: input size, mean, std, licence and address of the weights.

    Raises RecipeError with the nearest tag for an unknown one.
    """
    import timm
    from timm.models import PretrainedCfg

    try:
        return timm.get_pretrained_cfg(name) or PretrainedCfg()
    except RuntimeError as error:
        tagged = timm.list_pretrained(f"{name.split('.')[0]}.*") or [name.split(".")[0]]
        raise RecipeError(
            f"image_classifier: timm has no backbone {name!r}",
            fix=f"did you mean {nearest(name, tagged)!r}?",
        ) from error


def features_of(network: nn.Module, name: str) -> int:
    """Return the length of a network's feature vector; RecipeError when it does not name one."""
    # Some networks widen the pooled features before they return them.
    for attribute in ("head_hidden_size", "num_features"):
        features = getattr(network, attribute, None)
        if isinstance(features, int):
            return features
    raise no_features(name)


def no_features(name: str) -> RecipeError:
    """Build the error for a network that does not turn an image into one vector."""
    return RecipeError(
        f"image_classifier: {name} does not turn an image into one vector of features, which the "
        "head needs",
        fix="choose another backbone",
    )


def converter(name: str) -> Callable[[State, nn.Module], State] | None:
    """Return timm's function that converts the authors' weights files to its layout, or None."""
    from timm.models import model_entrypoint

    module = sys.modules[model_entrypoint(name.split(".")[0]).__module__]
    return getattr(module, "checkpoint_filter_fn", None)


def classifiers_of(network: nn.Module) -> tuple[str, ...]:
    """Return the names of the classifier layers, which a file has and `build_timm` leaves out."""
    named = getattr(network, "pretrained_cfg", {}).get("classifier") or ()
    return (named,) if isinstance(named, str) else tuple(named)


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
