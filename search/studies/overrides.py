"""The values of the command line, which replace those of the study file."""

import shlex
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spaces.errors import StudyError
from spaces.params import Value

# The checks of the data that a user may skip. C14 (the test split stays sealed) and the checks
# that make trials comparable (C15, C16) cannot be skipped.
SKIPPABLE = tuple(f"C{number:02}" for number in (*range(1, 14), 17, 18, 19))


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """The study that the command line names, and its changes to the study file.

    reference: a study file, or the name of a shipped or stored study.
    data: the folder of the data, from `--data`.
    pins: the values from `--set`.
    name: the name to store the study under, from `--as`.
    trials: the study's new total.
    skipped: rules of the data from `--skip-check`, whose errors stop nothing.
    promote: the study whose best trials are trained again, from `--promote`.
    accepts_code: whether the author's own code may have changed, from `--accept-code`.
    accepts_versions: whether this machine's versions may be others, from `--accept-versions`.
    """

    reference: str = field(kw_only=False)
    data: Path | None = field(default=None, kw_only=False)
    pins: Mapping[str, Value] = field(default_factory=dict)
    name: str | None = None
    trials: int | None = None
    skipped: Sequence[str] = ()
    promote: str | None = None
    accepts_code: bool = False
    accepts_versions: bool = False

    @property
    def words(self) -> str:
        """The words after `--study` that name this study and its data again, to be typed."""
        words = [self.reference]
        words += ["--data", str(self.data)] if self.data else []
        words += ["--as", self.name] if self.name else []
        return shlex.join(words)


def read_overrides(arguments: Namespace) -> Overrides:
    """Read the overrides from a command's arguments; StudyError for one that cannot be used."""
    return Overrides(
        reference=arguments.study,
        data=arguments.data,
        pins=parse_pins(arguments.pins),
        name=arguments.name,
        trials=getattr(arguments, "trials", None),
        skipped=parse_skips(getattr(arguments, "skip_check", ())),
        promote=getattr(arguments, "promote", None),
        accepts_code=getattr(arguments, "accept_code", False),
        accepts_versions=getattr(arguments, "accept_versions", False),
    )


def parse_pins(pins: Sequence[str]) -> dict[str, Value]:
    """Read `key=value` words; numbers, true and false are read as such."""
    values: dict[str, Value] = {}
    for pin in pins:
        key, equals, text = pin.partition("=")
        if not (key and equals):
            raise StudyError(f"--set {pin!r} is not key=value", "write --set batch_size=64")
        values[key] = _read_value(text)
    return values


def parse_skips(words: Sequence[str]) -> tuple[str, ...]:
    """Read the rules of `--skip-check C03,C10`; StudyError for one that may not be skipped."""
    rules = tuple(rule for word in words for rule in word.split(",") if rule)
    for rule in rules:
        if rule not in SKIPPABLE:
            raise StudyError(
                f"{rule!r} is not a check of the data that may be skipped",
                f"use {', '.join(SKIPPABLE)}",
            )
    return rules


def _read_value(text: str) -> Value:
    words: dict[str, Value] = {"true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
