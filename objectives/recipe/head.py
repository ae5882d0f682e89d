"""The hyperparameters of the layers that turn features into logits."""

from dataclasses import dataclass

from objectives.recipe.fields import Recipe, choice, number, when, whole


@dataclass(frozen=True)
class Head(Recipe):
    """The last layers, behind any backbone."""

    head: str = choice(
        "linear",
        ("linear", "hidden"),
        "The layers behind the backbone: one linear layer, or a hidden layer with ReLU before it.",
    )
    hidden_units: int = whole(
        512, 1, 8192, "Width of the hidden layer.", unit="units", acts_when=when(head="hidden")
    )
    dropout: float = number(
        0.0, 0.0, 0.9, "Share of the last layer's inputs that is dropped in training."
    )
