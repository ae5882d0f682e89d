"""The error about classes with fewer groups than there are splits, or folds, to fill."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from objectives.contract import DataError
from objectives.data.alike import closest
from objectives.data.layouts.classes import class_names, skipped_labels
from objectives.data.wording import counted, some

MOST_NAMED = 12  # classes in one message; a label with more of them is a mistake as a whole


class Labelled(Protocol):
    """The fields of an image that the error needs."""

    @property
    def path(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def group(self) -> str: ...


def check_enough_groups(images: Sequence[Labelled], needed: int, layout: Mapping[str, Any]) -> None:
    """Raise DataError, with every class concerned, unless each class has a group for every split.

    needed: the number of splits or folds.
    layout: the study's declaration of its data.
    """
    images_of: defaultdict[str, list[Labelled]] = defaultdict(list)
    for image in images:
        images_of[image.label].append(image)
    few = [
        label
        for label, own in sorted(images_of.items())
        if len({image.group for image in own}) < needed
    ]
    if few:
        enough = sorted(images_of.keys() - {*few})
        shown = [_described(images_of[label], enough) for label in few[:MOST_NAMED]]
        more = len(few) - len(shown)
        raise DataError(
            f"each of the {needed} splits or folds needs a group of its own from every class, and "
            f"{'; '.join(shown)}{f'; and {more:,} more classes' if more else ''}",
            fix=_fix(few, layout),
        )


def _described(images: Sequence[Labelled], enough: Sequence[str]) -> str:
    """Say how many images and groups a class has, and which class its name may stand for."""
    label, groups = images[0].label, sorted({image.group for image in images})
    near = closest(label, enough)
    return (
        f"class {label!r} has {counted(len(images), 'image')} of only "
        f"{counted(len(groups), 'group')} ({some([repr(name) for name in groups])}), "
        f"{images[0].path} for example{f', and may be {near!r} misspelt' if near else ''}"
    )


def _fix(few: Sequence[str], layout: Mapping[str, Any]) -> str:
    others = "add groups of them, or correct the study's group if these are none"
    if len(few) > MOST_NAMED:
        return f"see that the study's label is the one you mean, {others}"
    if not {"label", "one_hot"} & {*layout}:  # folders, whose declaration has no skip
        return f"move what is no class out of the data folder, {others}"
    names = class_names(layout)
    # A study skips labels, and the names that it gives them are no labels.
    labels = {*few} - {*names.values()} | {own for own, name in names.items() if name in few}
    labels |= skipped_labels(layout)  # which the argument would else lose
    return (
        "correct these labels if they are mistakes, leave them out with "
        f"skip={tuple(sorted(labels))!r} in the study's data declaration, {others}"
    )
