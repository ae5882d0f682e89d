"""The names of classes: their order, and names that differ in spelling only."""

from collections import defaultdict
from collections.abc import Iterable

from objectives.data.problems import Problem


def in_order(labels: Iterable[str]) -> list[str]:
    """Return each label once: numbers by their value, words by the alphabet."""
    return sorted(set(labels), key=lambda label: (len(label) if label.isdigit() else 0, label))


def colliding(classes: Iterable[str]) -> tuple[Problem, ...]:
    """Find the classes that differ only by case or spaces (C09)."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for name in classes:
        alike["".join(name.casefold().split())].append(name)
    return tuple(
        Problem(
            rule="C09",
            level="error",
            message=(
                f"the classes {' and '.join(map(repr, names))} differ only by case or spaces and "
                "would be told apart; give them one name (FileNames and Table can: `names`)"
            ),
        )
        for names in alike.values()
        if len(names) > 1
    )
