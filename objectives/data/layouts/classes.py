"""The names of classes: their order, and names that are equal to the eye."""

from collections.abc import Iterable, Iterator, Sequence
from unicodedata import category

from objectives.data.alike import alike, as_read, spelled
from objectives.data.problems import Problem

LONGEST = 100  # characters of a name that still fits into tables and plots
YES, NO = frozenset(("true", "yes", "y", "1")), frozenset(("false", "no", "n", "0"))


def in_order(labels: Iterable[str]) -> list[str]:
    """Return each label once: numbers by their value, words by the alphabet."""
    return sorted(set(labels), key=lambda label: (len(label) if label.isdigit() else 0, label))


def colliding(classes: Iterable[str]) -> tuple[Problem, ...]:
    """Find the classes whose names a person reads as one, or that no line can hold (C09)."""
    names = tuple(classes)
    found = [
        *(
            f"the classes {_listed(each)} are equal to the eye and would be told apart; give them "
            "one name, or declare merge_alike=True"
            for each in alike(names)
        ),
        *(
            f"the classes {_listed(each)} mean the same; give them one name, as `names` can"
            for each in same_answers(names)
        ),
        *(f"the class {_shortened(name)} has {fault}" for name in names for fault in _faults(name)),
    ]
    return tuple(Problem(rule="C09", level="error", message=each) for each in found)


def same_answers(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the classes that all say yes, or no, where classes are nothing but such answers."""
    answers = {name: as_read(name) for name in names}
    if not {*answers.values()} <= YES | NO:
        return []
    sides = (tuple(name for name in names if answers[name] in side) for side in (YES, NO))
    return [side for side in sides if len({answers[name] for name in side}) > 1]


def misspelt(declared: Iterable[str], labels: Iterable[str]) -> tuple[Problem, ...]:
    """Find the labels that a study names or skips and that the data spell otherwise (C09)."""
    said = {as_read(name): name for name in declared}
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


def _faults(name: str) -> Iterator[str]:
    if len(name) > LONGEST:
        yield f"a name of {len(name):,} characters; give it a shorter one, as `names` can"
    if any(category(character) in ("Cc", "Zl", "Zp") for character in name):
        yield "a line break or control character in its name; give it another, as `names` can"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(map(spelled, names))


def _shortened(name: str) -> str:
    return repr(name if len(name) <= LONGEST else f"{name[:40]} ...")
