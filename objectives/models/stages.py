"""The stages of a backbone, the units of unfreezing and of layer decay."""

from collections.abc import Iterable

from torch import nn

from objectives.models.small_cnn import SmallCNN

Stage = tuple[nn.Parameter, ...]

RESNETS = ("torchvision.models.resnet", "monai.networks.nets.resnet")  # modules of their classes

# For the few networks of timm that do not group their layers: a name and a number each.
_USUAL_LAYERS = {
    "stem": r"^(?:stem|patch)|^(?!\w+\.\d+\.|norm|head)",
    "blocks": r"^(?!norm|head)\w+\.(\d+)\.",
}


def stages(network: nn.Module) -> tuple[Stage, ...]:
    """Sort every parameter of a backbone into exactly one stage, the first nearest to the image."""
    if _is_resnet(network):
        stem = [network.get_submodule("conv1"), network.get_submodule("bn1")]
        layers = ([network.get_submodule(f"layer{each}")] for each in (1, 2, 3, 4))
        return _parameters([stem, *layers])
    if isinstance(network, SmallCNN):
        return _parameters((block,) for block in network.layers)
    return _timm_stages(network)


def _is_resnet(network: nn.Module) -> bool:
    # By its name: torchvision and MONAI take seconds to load, and other networks need neither.
    return type(network).__module__ in RESNETS


def _parameters(modules: Iterable[Iterable[nn.Module]]) -> tuple[Stage, ...]:
    return tuple(
        tuple(parameter for module in each for parameter in module.parameters()) for each in modules
    )


def _timm_stages(network: nn.Module) -> tuple[Stage, ...]:
    """Group the parameters as timm does for its own layer decay."""
    from timm.models._manipulate import MATCH_PREV_GROUP, group_parameters

    try:
        matcher = network.group_matcher(coarse=True)  # type: ignore[operator]
    except (AttributeError, AssertionError):  # it has no matcher, or no coarse one
        matcher = _USUAL_LAYERS
    if isinstance(matcher, dict):
        # A last norm that matches no pattern would become a stage; it joins the last stage instead.
        matcher = {**matcher, "rest": [(r".", MATCH_PREV_GROUP)]}
    groups = group_parameters(network, matcher, return_values=True)
    return tuple(tuple(groups[key]) for key in sorted(groups))
