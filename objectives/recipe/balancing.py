"""The hyperparameters of the loss, and of the mechanisms for rare classes."""

from dataclasses import dataclass

from objectives.contract import RecipeError
from objectives.recipe.fields import Recipe, choice, number, toggle, when

# LDAM can be asked for in two ways.
_LDAM = (*when(balancing=("ldam", "ldam_drw")), *when(ldam=True))
_NO_LDAM = when(balancing=("none", "sampler", "class_weights"), ldam=False)


@dataclass(frozen=True, kw_only=True)
class Balancing(Recipe):
    """One mechanism against imbalance; the toggles are for studies that search them one by one."""

    balancing: str = choice(
        "none",
        ("none", "sampler", "class_weights", "ldam", "ldam_drw"),
        "The one mechanism for rare classes: draw all classes equally often, weight the loss, "
        "larger margins for rarer classes, or margins and, late in the schedule, weights.",
        source="ldam, ldam_drw: Cao et al. 2019, arXiv:1906.07413",
        acts_when=when(ldam=False, weighted_sampler=False),
    )
    ldam: bool = toggle(
        False,
        "Larger margins for rarer classes, on a cosine head (LDAM).",
        source="Cao et al. 2019, arXiv:1906.07413",
        acts_when=when(balancing="none"),
    )
    weighted_sampler: bool = toggle(
        False,
        "Draw training images so that all classes come up equally often.",
        acts_when=when(balancing="none"),
    )
    ldam_max_margin: float = number(
        0.5,
        0.0,
        1.0,
        "Margin of the rarest class.",
        unit="cosine",
        source="Cao et al. 2019, their code",
        acts_when=_LDAM,
    )
    ldam_scale: float = number(
        30.0,
        1.0,
        100.0,
        "Factor that turns cosines into logits.",
        source="Cao et al. 2019, their code (s)",
        acts_when=_LDAM,
    )
    drw_start: float = number(
        0.8,
        0.0,
        0.99,
        "Share of the schedule after which rare classes weigh more (deferred re-weighting).",
        source="Cao et al. 2019, their code: epoch 160 of 200",
        acts_when=when(balancing="ldam_drw"),
    )
    drw_beta: float = number(
        0.9999,
        0.0,
        0.999999,
        "How much the number of images decides a class's weight: (1 - beta) / (1 - beta^count).",
        source="effective number of samples: Cui et al. 2019, arXiv:1901.05555",
        acts_when=when(balancing="ldam_drw"),
    )
    label_smoothing: float = number(
        0.0,
        0.0,
        0.5,
        "Share of the target that is spread over all classes; not defined with LDAM.",
        source="Szegedy et al. 2016, arXiv:1512.00567",
        acts_when=_NO_LDAM,
    )

    @property
    def has_margins(self) -> bool:
        """Whether the loss is LDAM, on a cosine head."""
        return self.ldam or self.balancing in ("ldam", "ldam_drw")

    @property
    def has_sampler(self) -> bool:
        """Whether training images are drawn so that all classes come up equally often."""
        return self.weighted_sampler or self.balancing == "sampler"


def check_balancing(recipe: Balancing) -> None:
    """Raise RecipeError for a combination that has no definition."""
    if recipe.has_margins and recipe.label_smoothing:
        raise RecipeError(
            f"{recipe.objective}: ldam is not defined with label_smoothing "
            f"{recipe.label_smoothing}",
            fix="set label_smoothing to 0 or leave ldam out",
        )
    toggles = [each for each in ("ldam", "weighted_sampler") if getattr(recipe, each)]
    if recipe.balancing != "none" and toggles:
        raise RecipeError(
            f"{recipe.objective}: balancing is {recipe.balancing!r} and {toggles[0]} is true, two "
            "mechanisms for rare classes at once",
            fix=f"set balancing to none or {toggles[0]} to false",
        )
