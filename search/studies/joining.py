"""A machine that joins a stored study: every check that precedes its first claim."""

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from objectives.data.manifest.listed import ListedData
from search.errors import MachineMismatch, user_errors
from search.processes import driver
from search.processes.devices import DeviceShare
from search.processes.doctor import find_torch
from search.processes.machine import device_class
from search.settings import Settings
from search.studies.code import code_here
from search.studies.networks import check_networks_here, check_weights
from search.studies.reopen import open_study
from search.studies.shared_folder import check_shared, known_mark
from search.studies.versions import accept_here, check_versions, commit_note, different_here
from spaces.data import NoData
from spaces.exits import DONE, WRONG
from spaces.own import code_digest
from spaces.rules.versions import in_words
from spaces.stored import StoredStudy, from_json
from storage.store import Store, StudyRow


@dataclass(frozen=True, kw_only=True)
class Request:
    """The study that a worker is to work on here.

    data, code: their folders; None for those that this machine used last.
    is_supervised: whether the command that starts the worker has checked what all workers share.
    accepts_versions: whether versions here may be others than those of the study's creation.
    """

    study: str
    data: Path | None = None
    code: Path | None = None
    is_supervised: bool = False
    accepts_versions: bool = False


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One check of this machine: a fact or, where it does not hold, the fault and its fix."""

    name: str
    found: str
    fix: str = ""
    exit_code: int = DONE  # of a worker that this fault refuses


@dataclass(frozen=True, kw_only=True)
class Joining:
    """A machine's way into a stored study; each part is read when it is asked for."""

    request: Request
    settings: Settings
    store: Store

    @cached_property
    def row(self) -> StudyRow:
        """The study's row."""
        return self.store.study(self.request.study)

    @cached_property
    def stored(self) -> StoredStudy:
        """The study as it is stored."""
        return from_json(self.row.definition)

    @cached_property
    def source(self) -> ListedData:
        """This machine's data, with the splits of the study's creation."""
        return open_study(self.request.study, self.request.data, self.settings, self.store)[1]

    @cached_property
    def code(self) -> Path | None:
        """This machine's folder of the author's own code; None for a shipped objective."""
        return code_here(self.stored, self.settings, self.request.code)

    @cached_property
    def artifact_mark(self) -> str | None:
        """The mark of the folder of files that this machine shares with others.

        None where it shares none, or a bucket. A worker that is started again while a folder that
        is known is away begins all the same.
        """
        known = known_mark(self.settings, self.store, self.request.study)
        if self.request.is_supervised and known:
            return known
        return check_shared(self.settings, self.store, self.request.study)

    @property
    def checks(self) -> Mapping[str, Callable[[], str]]:
        """The checks by name, the quick ones first; each returns what it found, or raises."""
        of_worker = {
            "study": self._study,
            "versions": self._versions,
            "data": self._data,
            "code": self._code,
        }
        shared = {"weights": self._weights, "artifacts": self._artifacts}
        return of_worker if self.request.is_supervised else of_worker | shared

    def check(self) -> None:
        """Make every check; raises the error of the first that does not hold.

        Versions that the request accepts are stored with the study.
        """
        for check in self.checks.values():
            check()
        if self.request.accepts_versions:
            accept_here(self.stored, self.store)

    def _study(self) -> str:
        ended = self.store.counts(self.row.name).ended
        return f"{self.stored.study.name}, {ended} of {self.row.trials} trials have ended"

    def _versions(self) -> str:
        found = self.stored.found
        check_versions(self.stored, self.request.accepts_versions)
        different = in_words(different_here(found), found.versions)
        words = f"{different}, accepted" if different else "the study's"
        note = commit_note(found)
        return f"{words} ({note})" if note else words

    def _data(self) -> str:
        folder = self.source.folder
        if isinstance(self.stored.study.data, NoData):
            return "the study needs none"
        return f"the study's{f', in {folder}' if folder else ''} ({self.row.data_fingerprint[:12]})"

    def _code(self) -> str:
        digest = code_digest(self.stored.found.own)
        return f"the study's, in {self.code} ({digest})" if self.code else "the study has none"

    def _weights(self) -> str:
        check_weights(self.stored)
        check_networks_here(self.stored)
        return ", ".join(self.stored.found.weights) or "the study needs none"

    def _artifacts(self) -> str:
        mark, place = self.artifact_mark, self.settings.artifacts
        if self.settings.shared_artifacts is None:
            return f"in {place}, for this machine alone"
        return f"{place} can be written to{f' ({mark[:8]})' if mark else ''}"


def examine_here(joining: Joining, share: DeviceShare) -> Iterator[Checked]:
    """Yield the result of every check; nothing is claimed and nothing written to the database.

    share: the part of this machine that a worker would get.
    """
    for name, check in joining.checks.items():
        result = _checked(name, check)
        yield result
        if name == "study" and result.exit_code:  # there is nothing to compare with
            return
    yield _checked("device", lambda: _device(share))


def _checked(name: str, check: Callable[[], str]) -> Checked:
    try:
        return Checked(name=name, found=check())
    except user_errors() as error:
        code = getattr(error, "exit_code", WRONG)
        return Checked(name=name, found=error.found, fix=error.fix, exit_code=code)


def _device(share: DeviceShare) -> str:
    """Describe the device of a worker; MachineMismatch for a GPU that torch cannot use.

    On the CPU torch is not loaded, which takes seconds: a study that needs it has built its
    networks by then.
    """
    findings = find_torch(driver.count_gpus()) if share.device == "cuda" else ()
    for finding in findings:
        if finding.level == "error":
            raise MachineMismatch(f"{finding.name}: {finding.found}", finding.fix)
    return f"{device_class(share.device)}, {share.threads} threads, on {socket.gethostname()}"
