"""Wrong tokens, counted by address and over all: after a few, each next try waits longer."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

FREE = 5  # wrong tokens of one address without a wait
FREE_OVER_ALL = 100
LONGEST_SECONDS = 900.0
LONGEST_OVER_ALL_SECONDS = 30.0  # nobody may keep others out for long by guessing
FORGOTTEN_SECONDS = 3600.0
MOST = 10_000  # addresses
EVERYBODY = ""


@dataclass
class Count:
    """The wrong tokens of an address, and the moment from which on it may try again."""

    wrong: int = 0
    open_from: float = 0.0


class Failures:
    """Counts wrong tokens in bounded memory; an IPv6 network of one customer counts as one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: OrderedDict[str, Count] = OrderedDict()

    def __len__(self) -> int:
        """Return how many counts are kept."""
        return len(self._counts)

    def wait(self, address: str) -> int:
        """Return the seconds until this address may try again, 0 for now."""
        counts = (self._counts.get(name) for name in (_network(address), EVERYBODY))
        latest = max((each.open_from for each in counts if each), default=0.0)
        return max(0, -int(-(latest - self._clock()) // 1))

    def add(self, address: str) -> None:
        """Count a wrong token."""
        self._add(_network(address), FREE, LONGEST_SECONDS)
        self._add(EVERYBODY, FREE_OVER_ALL, LONGEST_OVER_ALL_SECONDS)

    def forget(self, address: str) -> None:
        """Forget the wrong tokens of an address that had the right one."""
        self._counts.pop(_network(address), None)

    def _add(self, name: str, free: int, longest: float) -> None:
        now = self._clock()
        count = self._counts.pop(name, Count())
        if now - count.open_from > FORGOTTEN_SECONDS:
            count = Count()
        count.wrong += 1
        excess = count.wrong - free
        # 2 ** 20 s is longer than any wait; a larger power would be too large for a float.
        count.open_from = now + (min(longest, 2.0 ** min(excess, 20)) if excess >= 0 else 0.0)
        self._counts[name] = count
        if len(self._counts) > MOST:
            oldest = next(each for each in self._counts if each != EVERYBODY)
            del self._counts[oldest]


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:  # a proxy may write anything
        return address[:64]
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(IPv6Address(int(parsed) >> 64 << 64))
