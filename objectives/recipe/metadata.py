"""The hyperparameters of the branch that reads the table beside the images."""

from dataclasses import dataclass

from objectives.recipe.fields import Recipe, number, toggle, when, whole

_USED = when(use_metadata=True)


@dataclass(frozen=True)
class Metadata(Recipe):
    """A small network whose output joins the image's features before the head."""

    use_metadata: bool = toggle(
        False,
        "Whether the network also learns from the columns beside the images.",
        source="features concatenated: Pacheco and Krohling 2020, arXiv:1909.12912",
    )
    metadata_units: int = whole(
        64, 1, 4096, "Number of features that the table becomes.", unit="units", acts_when=_USED
    )
    metadata_dropout: float = number(
        0.0, 0.0, 0.9, "Share of these features that is dropped in training.", acts_when=_USED
    )
