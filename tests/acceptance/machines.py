"""Machines made of Linux namespaces: a network, a host name and a read-only root of their own."""

import itertools
import os
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

numbers = itertools.count(1)
# In a mount namespace of its own, which `ip netns exec` makes; the folders stay writable.
CLOSED = """
hostname "$1"; count=$2; shift 2
for folder in $(seq $count); do mount --bind "$1" "$1"; shift; done
mount -o remount,bind,ro / && exec "$@"
"""


@dataclass(frozen=True)
class Machine:
    """A machine: its name, and the address at which it reaches the one that the test runs on."""

    name: str
    gateway: str
    is_apart: bool  # whether it has namespaces

    def words(self, writable: Sequence[Path]) -> list[str]:
        """Return the words before a command that runs here and keep its process number.

        writable: the folders below the root that can be written to.
        """
        if not self.is_apart:
            return []
        apart = ["ip", "netns", "exec", self.name, "unshare", "--uts"]
        return [
            *apart,
            "sh",
            "-c",
            CLOSED,
            "sh",
            self.name,
            str(len(writable)),
            *map(str, writable),
        ]


@contextmanager
def two_machines() -> Iterator[tuple[Machine, Machine]]:
    """Yield two machines; without root they are this one, at two addresses of its loopback."""
    made = [_machine() for _ in range(2)]
    try:
        yield made[0], made[1]
    finally:
        for machine in made:
            if machine.is_apart:
                _ip("netns", "delete", machine.name)


def _machine() -> Machine:
    number = next(numbers)
    name = f"box-{number}-{os.getpid()}"
    network = f"10.{secrets.randbelow(100) + 100}.{secrets.randbelow(250)}"
    if os.geteuid() == 0:
        with suppress(OSError, subprocess.CalledProcessError):
            _ip("netns", "add", name)
            _connect(name, f"v{number}-{os.getpid()}"[:15], network)
            return Machine(name, f"{network}.1", is_apart=True)
    return Machine(name, f"127.{secrets.randbelow(200) + 1}.{os.getpid() % 250}.{number}", False)


def _connect(name: str, cable: str, network: str) -> None:
    _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
    _ip("address", "add", f"{network}.1/24", "dev", cable)
    _ip("link", "set", cable, "up")
    _ip("-n", name, "address", "add", f"{network}.2/24", "dev", "eth0")
    _ip("-n", name, "link", "set", "eth0", "up")
    _ip("-n", name, "link", "set", "lo", "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
