"""The names of classes: their order, and names that are equal to the eye."""

from collections.abc import Iterable

from objectives.data.alike import alike, spelled
from objectives.data.problems import Problem


def in_order(labels: Iterable[str]) -> list[str]:
    """Return each label once: numbers by their value, words by the alphabet."""
    return sorted(set(labels), key=lambda label: (len(label) if label.isdigit() else 0, label))


def colliding(classes: Iterable[str]) -> tuple[Problem, ...]:
    """Find the classes whose names a person reads as one (C09)."""
    return tuple(
        Problem(
            rule="C09",
            level="error",
            message=(
                f"the classes {' and '.join(map(spelled, names))} are equal to the eye and would "
                "be told apart; give them one name, or declare merge_alike=True"
            ),
        )
        for names in alike(classes)
    )
