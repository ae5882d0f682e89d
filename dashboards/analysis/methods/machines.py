"""The machines that a study was computed on: devices, and versions of what decides a result."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from storage.rows import WorkerRow

NAMES = {
    "python": "Python",
    "torch": "PyTorch",
    "optuna": "Optuna",
    "numpy": "NumPy",
    "pillow": "Pillow",
    "monai": "MONAI",
    "nibabel": "NiBabel",
}
FIRST = ("search", "python", "torch", "optuna")  # the others follow by name


@dataclass(frozen=True, kw_only=True)
class Machines:
    """The workers of a study in sums, as they registered themselves.

    workers, hosts: how many processes, on how many machines.
    devices: kind of device -> how many of the workers.
    versions: package -> its versions, each once.
    commits: of the code, each once.
    """

    workers: int
    hosts: int
    devices: Mapping[str, int]
    versions: Mapping[str, Sequence[str]]
    commits: Sequence[str]

    def only(self, package: str) -> str:
        """Return the version of a package where all workers had the same one, else ""."""
        found = self.versions.get(package, ())
        return found[0] if len(found) == 1 else ""


def machines_of(workers: Iterable[WorkerRow]) -> Machines:
    """Add up the workers of a study."""
    rows = list(workers)
    found: dict[str, list[str]] = {}
    for row in rows:
        for package, version in row.machine.get("versions", {}).items():
            found.setdefault(package, []).append(str(version))
    order = sorted(
        found, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name)
    )
    return Machines(
        workers=len(rows),
        hosts=len({row.host for row in rows}),
        devices=Counter(str(row.machine.get("device_class") or row.device) for row in rows),
        versions={name: _once(found[name]) for name in order},
        commits=_once(str(row.machine["commit"]) for row in rows if row.machine.get("commit")),
    )


def package_name(package: str) -> str:
    """Return the name of a package as papers write it."""
    return NAMES.get(package, package)


def _once(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
