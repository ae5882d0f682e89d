"""The user at the other end of a connection on this machine, from the kernel's tables."""

import asyncio
import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import TypeAlias

Place: TypeAlias = tuple[str, int]  # an address and a port

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
LOOKS = 3  # a table is read in pieces, so a line may be missed while others come and go


class Peer:
    """The other end of one connection; its user is looked up once.

    It belongs to the connection, not to its address: the next connection from the same port may be
    another user's.
    """

    def __init__(self, far: Place, near: Place) -> None:
        self._far, self._near = far, near
        self._uid: int | None = None
        self.host = str(ip_address(far[0])).removeprefix("::ffff:")
        self.admitted = False  # the guard has let in one of its requests

    async def uid(self, threads: Executor) -> int | None:
        """Return the uid of the other end; None where this machine's tables do not name it."""
        if self._uid is None:
            loop = asyncio.get_running_loop()
            self._uid = await loop.run_in_executor(threads, owner_of, self._far, self._near)
        return self._uid


def owner_of(far: Place, near: Place) -> int | None:
    """Return the uid that owns the end `far` of the connection between two places of this machine.

    None where no table names it: it is on another machine or in another network namespace, or it
    has closed its end.
    """
    return next((uid for _ in range(LOOKS) for uid in _owners(far, near)), None)


def _owners(far: Place, near: Place) -> Iterator[int]:
    # A program may reach an IPv4 address through an IPv6 socket: then the second table has it.
    wanted = [f"{_in_table(far, mapped)} {_in_table(near, mapped)}" for mapped in (False, True)]
    for table in TABLES:
        for line in _lines(table):
            fields = line.split()
            # Without an inode nobody holds the socket any more, and the uid says nothing.
            if " ".join(fields[1:3]) in wanted and fields[9] != "0":
                yield int(fields[7])


def _lines(table: Path) -> list[str]:
    try:
        return table.read_text().splitlines()[1:]
    except OSError:  # no IPv6 here, or no such tables
        return []


def _in_table(place: Place, mapped: bool) -> str:
    """Return a place as the tables write it: words of 32 bits in the order of this machine."""
    host, port = place
    address = ip_address(host)
    if mapped and address.version == 4:
        address = IPv6Address(f"::ffff:{host}")
    elif isinstance(address, IPv6Address) and address.ipv4_mapped and not mapped:
        address = address.ipv4_mapped
    packed = address.packed
    words = (packed[start : start + 4] for start in range(0, len(packed), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words) + f":{port:04X}"
