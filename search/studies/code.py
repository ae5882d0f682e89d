"""An author's own code of a study: its folder on this machine, compared with the code stored."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from objectives import catalog
from objectives.contract import RecipeError
from search.errors import MachineMismatch
from search.settings import Settings
from search.studies.folders import find_code
from spaces.errors import StudyError
from spaces.own import code_digest
from spaces.stored import StoredStudy, own_to_json

_REPLACED = ("files", "sources", "commit", "is_clean")  # of a description, by changed code


def code_here(stored: StoredStudy, settings: Settings, given: Path | None) -> Path | None:
    """Return this machine's folder of a study's own code; None for a shipped objective.

    A machine that has none gets the code that is stored with the study.

    given: the folder that was asked for; None for the one that this machine used last.
    Raises MachineMismatch where the code here is not the study's, or there is none.
    """
    own = stored.found.own
    if not own:
        return None
    if given and not given.is_dir():
        raise StudyError(f"--code {given} is no folder", "name the folder that has the code")
    name = stored.study.name
    unpacked = settings.study_folder(name) / "code" / code_digest(own)
    folder = given or find_code(settings, name, name) or catalog.unpack_code(own, unpacked)
    if folder is None:
        raise MachineMismatch(
            f"the code of study {name!r}, {stored.study.objective}, is not on this machine",
            "bring its folder here and name it with --code DIR",
        )
    if changed := catalog.changed_code(stored.objective, folder):
        raise MachineMismatch(
            f"the code in {folder} differs from that of study {name!r} ({', '.join(changed)})",
            "bring the same files here, or accept the changed ones with"
            f" `search run --study {name} --accept-code`",
        )
    return folder


def same_code(stored: StoredStudy, folder: Path | None, accepts: bool) -> StoredStudy:
    """Return a stored study, with the code in a folder as its own where a change is accepted.

    Raises StudyError for a change that is not.
    """
    own = stored.found.own
    changed = catalog.changed_code(stored.objective, folder) if own and folder else []
    if not changed or folder is None:
        return stored
    if not accepts:
        name = stored.study.name
        raise StudyError(
            f"the code of study {name!r} has changed since it began ({', '.join(changed)})",
            f"undo the change, start a study with it under --as {name}-2, or let the trials to come"
            " use it with --accept-code",
        )
    described = catalog.read_code(own_to_json(stored.study), folder)
    _check_goes_on(stored, described)
    accepted = [*own.get("accepted", ()), _acceptance(own, changed)]
    return replace(stored, found=replace(stored.found, own={**described, "accepted": accepted}))


def code_used(own: Mapping[str, Any], digest: str) -> Mapping[str, Any]:
    """Return the description of a study's own code as a worker had it, by the digest it noted."""
    described = {name: value for name, value in own.items() if name != "accepted"}
    for before in own.get("accepted", ()):
        if code_digest(before) == digest:
            return {**described, **{name: before[name] for name in _REPLACED}}
    return described


def _check_goes_on(stored: StoredStudy, described: Mapping[str, Any]) -> None:
    """Raise StudyError where changed code does not take the values that the study began with."""
    try:
        catalog.check(described, stored.config(stored.study.space.mode()))
    except RecipeError as error:
        name = stored.study.name
        raise StudyError(
            f"the changed code cannot go on with the values of study {name!r} ({error.found})",
            f"give it that parameter back, or start a study with it under --as {name}-2",
        ) from error


def _acceptance(before: Mapping[str, Any], changed: list[str]) -> dict[str, Any]:
    """Return the code that is replaced, and when."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return {"at": at, "changed": changed, **{name: before[name] for name in _REPLACED}}
