"""A computation whose result is kept for as long as it is asked for with the same inputs."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Computes a result anew where an input has changed since the last call."""

    def __init__(self, compute: Callable[..., T]) -> None:
        self._compute = compute
        self._last: tuple[tuple[Any, ...], T] | None = None

    def __call__(self, *inputs: Any) -> T:
        """Return the result of these inputs, which nobody changes afterwards."""
        if self._last is None or self._last[0] != inputs:
            self._last = inputs, self._compute(*inputs)
        return self._last[1]
