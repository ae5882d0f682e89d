"""The versions of this machine, compared with those that a study was created with."""

import socket
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from search.errors import MachineMismatch
from search.processes import machine
from spaces.found import Found
from spaces.rules.versions import PYTHON, deciding, differing, in_words, settled
from spaces.stored import StoredStudy, from_json, to_json
from storage.store import Store

EDITED = "+changes"  # at the end of a commit: the checkout that runs is not that commit


def with_versions(stored: StoredStudy, paths: Iterable[str]) -> StoredStudy:
    """Return a study that is about to be created, with the versions of this machine.

    paths: those of its images.
    """
    wanted = deciding(stored.study, paths)
    installed = machine.versions(wanted).items()
    versions = {name: settled(name, version) for name, version in installed if name in wanted}
    here = machine.commit() or ""
    commit = "" if here.endswith(EDITED) else here
    return replace(stored, found=replace(stored.found, versions=versions, commit=commit))


def check_versions(stored: StoredStudy, accepts: bool = False) -> None:
    """Raise MachineMismatch where this machine's versions are not the study's, and not accepted.

    accepts: whether this command accepts them.
    """
    found = stored.found
    different = different_here(found)
    if not different or accepts:
        return
    raise MachineMismatch(
        f"the versions here are not those that study {stored.study.name!r} was created with"
        f" ({in_words(different, found.versions)})",
        f"{_ways(different, found)}, or accept these with --accept-versions",
    )


def different_here(found: Found) -> dict[str, str]:
    """Return the versions of this machine that the study neither has nor accepted, by package."""
    here = machine.versions(found.versions)
    return differing(found.versions, found.accepted_versions, here)


def commit_note(found: Found) -> str:
    """Say where this checkout of search is another than the study's; "" where none is known to be.

    One with changes says nothing: its commit is not the code that runs.
    """
    here = machine.commit() or ""
    if not here or not found.commit or here.endswith(EDITED) or here == found.commit:
        return ""
    return (
        f"search is at commit {here[:12]} here, and the study began with {found.commit[:12]}: its"
        " numbers may differ"
    )


def with_acceptance(stored: StoredStudy) -> StoredStudy:
    """Return the study with this machine's versions accepted; as it is where none differs."""
    found = stored.found
    different = different_here(found)
    if not different:
        return stored
    acceptance = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": socket.gethostname(),
        "versions": different,
        "instead_of": {name: found.versions[name] for name in different},
    }
    accepted = [*found.accepted_versions, acceptance]
    return replace(stored, found=replace(found, accepted_versions=accepted))


def accept_here(stored: StoredStudy, store: Store) -> None:
    """Store that this machine's versions are accepted, where they are not the study's."""
    if different_here(stored.found):
        store.amend(stored.study.name, _accepted)


def _accepted(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    return to_json(with_acceptance(from_json(definition)))


def _ways(different: Mapping[str, str], found: Found) -> str:
    """Return the steps that bring the study's versions here."""
    packages = " ".join(f"{name}=={found.versions[name]}" for name in different if name != PYTHON)
    python = f"use Python {found.versions[PYTHON]}" if PYTHON in different else ""
    install = f"install {packages}" if packages else ""
    return " and ".join(filter(None, (python, install))) + " here"
