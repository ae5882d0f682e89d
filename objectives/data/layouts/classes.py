"""The names of classes: as the study gives them, their order, and names equal to the eye."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from unicodedata import category

from objectives.data.alike import alike, as_read, closest, merged, spelled
from objectives.data.left_out import LeftOut
from objectives.data.problems import Problem, shortened

LONGEST = 100  # characters of a name that still fits into tables and plots
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
YES, NO = frozenset(("true", "yes", "y", "1")), frozenset(("false", "no", "n", "0"))


def class_names(layout: Mapping[str, Any]) -> dict[str, str]:
    """Return the names that the study gives to labels."""
    return dict(layout.get("names") or {})


def skipped_labels(layout: Mapping[str, Any]) -> set[str]:
    """Return the labels whose images the study skips."""
    return {str(label) for label in layout.get("skip") or ()}


def declared_labels(layout: Mapping[str, Any]) -> set[str]:
    """Return the labels that the study names or skips."""
    return {*class_names(layout), *skipped_labels(layout)}


def name_classes(
    labels: Sequence[str], order: Iterable[str], layout: Mapping[str, Any]
) -> tuple[tuple[str, ...], list[str]]:
    """Return the classes in their order, and the class of each image.

    Two labels of one name are one class, and so are names that read alike where the study says so.

    labels: of the images.
    order: all labels in the order of their classes; one without an image makes no class.
    """
    names = class_names(layout)
    named = [names.get(label, label) for label in labels]
    classes = merged(named) if layout.get("merge_alike") else named
    class_of = dict(zip(named, classes, strict=True))
    ordered = (names.get(label, label) for label in order)
    return tuple(dict.fromkeys(class_of[name] for name in ordered if name in class_of)), classes


def left_out_labels(
    skipped: Mapping[str, Sequence[str]], layout: Mapping[str, Any]
) -> list[LeftOut]:
    """Return the images of skipped labels, by the names of these labels.

    skipped: label -> paths.
    """
    names = class_names(layout)
    named: defaultdict[str, list[str]] = defaultdict(list)
    for label, paths in skipped.items():
        named[names.get(label, label)] += paths
    return [
        LeftOut(
            reason=f"with the skipped label {spelled(name)}", paths=tuple(paths), is_declared=True
        )
        for name, paths in named.items()
    ]


def in_order(labels: Iterable[str]) -> list[str]:
    """Return each label once: numbers by their value, words by the alphabet."""
    return sorted(set(labels), key=_place)


def _place(label: str) -> tuple[bool, float, str]:
    is_number = NUMBER.fullmatch(label) is not None
    return is_number, float(label) if is_number else 0.0, label


def colliding(classes: Iterable[str]) -> tuple[Problem, ...]:
    """Find the classes whose names a person reads as one, or that no line can hold (C09)."""
    names = tuple(classes)
    found = [
        *(
            f"the classes {_listed(each)} are equal to the eye and would be told apart; give them "
            "one name, or say merge_alike=True in the study's data declaration"
            for each in alike(names)
        ),
        *(
            f"the classes {_listed(each)} mean the same; give them one name, as `names` can"
            for each in same_answers(names)
        ),
        *(f"the class {shortened(name)} has {fault}" for name in names for fault in _faults(name)),
    ]
    return tuple(Problem(rule="C09", level="error", message=each) for each in found)


def same_answers(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the classes that all say yes, or no, where classes are nothing but such answers."""
    answers = {name: as_read(name) for name in names}
    if not {*answers.values()} <= YES | NO:
        return []
    sides = (tuple(name for name in names if answers[name] in side) for side in (YES, NO))
    return [side for side in sides if len({answers[name] for name in side}) > 1]


def misspelt(layout: Mapping[str, Any], labels: Iterable[str]) -> tuple[Problem, ...]:
    """Find the labels that a study names or skips and that the data spell otherwise (C09)."""
    said = {as_read(name): name for name in declared_labels(layout)}
    others = sorted({*labels} - {*said.values()})
    return tuple(
        Problem(
            rule="C09",
            level="error",
            message=(
                f"the study says {spelled(said[as_read(label)])}, and the data {spelled(label)}, "
                "which is another label; spell it as the data do"
            ),
        )
        for label in others
        if as_read(label) in said
    )


def absent(layout: Mapping[str, Any], labels: Iterable[str]) -> tuple[Problem, ...]:
    """Find the labels that a study skips and that no image or row has (C09)."""
    known = {*labels}
    read = {as_read(label) for label in known}
    lacking = [each for each in sorted(skipped_labels(layout) - known) if as_read(each) not in read]
    near = {each: closest(each, sorted(known - declared_labels(layout))) for each in lacking}
    return tuple(
        Problem(
            rule="C09",
            level="error" if near[each] else "warn",
            message=(
                f"the study skips the label {spelled(each)}, which occurs nowhere in the data"
                + (f"; did you mean {spelled(near[each])}?" if near[each] else "")
                + "; correct skip in the study's data declaration, or remove the label there"
            ),
        )
        for each in lacking
    )


def _faults(name: str) -> Iterator[str]:
    if len(name) > LONGEST:
        yield f"a name of {len(name):,} characters; give it a shorter one, as `names` can"
    if any(category(character) in ("Cc", "Zl", "Zp") for character in name):
        yield "a line break or control character in its name; give it another, as `names` can"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(map(spelled, names))
