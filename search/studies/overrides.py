"""What the command line asks of a study, beside its file."""

from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spaces.errors import StudyError
from spaces.params import Value

# What a person may take upon themselves; not the sealed test (C14), nor what makes trials
# comparable (C15, C16).
SKIPPABLE = tuple(f"C{number:02}" for number in range(1, 14))


@dataclass(frozen=True)
class Overrides:
    """What the command line asks of a study, beside its file.

    pins: values from `--set`. name: from `--as`. trials: the study's new total. skipped: rules of
    the data from `--skip-check`.
    """

    reference: str
    data: Path | None = None
    pins: Mapping[str, Value] = field(default_factory=dict)
    name: str | None = None
    trials: int | None = None
    skipped: Sequence[str] = ()


def read_overrides(arguments: Namespace) -> Overrides:
    """Give what was typed of a study that is to be run or planned."""
    pins = parse_pins(arguments.pins)
    return Overrides(
        arguments.study,
        arguments.data,
        pins,
        arguments.name,
        getattr(arguments, "trials", None),
        parse_skips(getattr(arguments, "skip_check", ())),
    )


def parse_pins(pins: Sequence[str]) -> dict[str, Value]:
    """Read `key=value` words; numbers, true and false are read as such."""
    values: dict[str, Value] = {}
    for pin in pins:
        key, equals, text = pin.partition("=")
        if not (key and equals):
            raise StudyError(f"--set {pin!r} is no key=value; write --set batch_size=64")
        values[key] = _value(text)
    return values


def parse_skips(words: Sequence[str]) -> tuple[str, ...]:
    """Read the rules of `--skip-check C03,C10`; StudyError for one that cannot be skipped."""
    rules = tuple(rule for word in words for rule in word.split(",") if rule)
    check_skippable(rules)
    return rules


def check_skippable(rules: Iterable[str]) -> None:
    """Raise StudyError for a rule that is none of the data's, or cannot be skipped."""
    for rule in rules:
        if rule not in SKIPPABLE:
            raise StudyError(
                f"{rule!r} is no check of the data that may be skipped; use {', '.join(SKIPPABLE)}"
            )


def _value(text: str) -> Value:
    words: dict[str, Value] = {"true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
