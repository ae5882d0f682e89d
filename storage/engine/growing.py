"""Arrays that grow at their end."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

FIRST_ROOM = 64


class Growing:
    """A one-dimensional array that grows at a constant cost per entry.

    kind, fill: the type of its entries, and the value of one that is not set.
    """

    def __init__(self, kind: DTypeLike, fill: float) -> None:
        self._fill, self._size = fill, 0
        self._room: NDArray[Any] = np.full(FIRST_ROOM, fill, kind)

    @property
    def array(self) -> NDArray[Any]:
        """The entries; a view that the next growth may leave behind."""
        return self._room[: self._size]

    def grow(self, size: int) -> None:
        """Grow to `size` entries; an array that has more stays as it is."""
        if size > len(self._room):
            more = np.full(max(size, 2 * len(self._room)) - len(self._room), self._fill)
            self._room = np.concatenate([self._room, more.astype(self._room.dtype)])
        self._size = max(self._size, size)

    def extend(self, entries: NDArray[Any]) -> None:
        """Append entries."""
        start = self._size
        self.grow(start + len(entries))
        self._room[start : self._size] = entries
