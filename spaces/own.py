"""How a study names training code of its author: a generator function, or a script."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeAlias

from spaces.declared import check_types
from spaces.errors import StudyError
from spaces.script import Script

_REFERENCE = re.compile(r"(?P<place>[^:]+\.py|[A-Za-z_][\w.]*):(?P<function>[A-Za-z_]\w*)")


@dataclass(frozen=True)
class Generator:
    """A function of the author's that trains one configuration and yields an EpochResult per epoch.

    reference: "train.py:train", a file beside the study file and the function in it, or
        "package.module:function".
    deterministic: whether the same configuration and seed give the same numbers again, to the last
        bit; an epoch that comes with other numbers after a restart then ends the trial.
    """

    reference: str
    deterministic: bool = False

    def __post_init__(self) -> None:
        check_types(self)
        if not _REFERENCE.fullmatch(self.reference):
            raise StudyError(
                f"objective {self.reference!r} names no function",
                'write a file beside the study and its function, "train.py:train", or'
                ' "package.module:function"',
            )

    def __str__(self) -> str:
        return self.reference


OwnObjective: TypeAlias = Generator | Script
# An objective that does not come with the package, by the word for its kind.
OWN_KINDS: Mapping[str, type[OwnObjective]] = {"generator": Generator, "script": Script}
KIND_OF_OWN = {declared: kind for kind, declared in OWN_KINDS.items()}
_NOUNS = {Generator: "function", Script: "script"}


def as_objective(given: "str | OwnObjective") -> "str | OwnObjective":
    """Return an objective as a study holds it: "train.py:train" is a `Generator`.

    Raises StudyError for something else than a name or an objective of one's own.
    """
    if isinstance(given, str):
        return Generator(given) if ":" in given else str(given)
    if type(given) in KIND_OF_OWN:
        return given
    raise StudyError(
        f"objective is {given!r}",
        'give it a name such as "image_classifier", a function of yours, "train.py:train", or'
        " Script(...)",
    )


def noun_of(objective: "str | OwnObjective") -> str:
    """Return "script" or "function" for an objective of one's own; "" for a shipped one."""
    return "" if isinstance(objective, str) else _NOUNS[type(objective)]


def code_digest(own: Mapping[str, Any]) -> str:
    """Return one short digest of all files of an author's own code; "" for a shipped objective.

    own: its description, with the digests of its `files`.
    """
    files = own.get("files")
    return sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:12] if files else ""


def own_from_json(plain: Mapping[str, Any]) -> OwnObjective:
    """Read an objective back from its JSON; StudyError for an unknown kind."""
    read = dict(plain)
    kind = read.pop("kind", None)
    if kind not in OWN_KINDS:
        raise StudyError(f"objective kind {kind!r} is unknown", f"use {', '.join(OWN_KINDS)}")
    return OWN_KINDS[kind](**read)
