"""One thread for the numerics of a draw, so that every machine adds in the same order.

With more threads BLAS splits its sums elsewhere, and the last digits of a fit change with them. One
is also the fastest: the matrices of some hundred trials are small, and two threads took .5 s a draw
that takes .05 s with one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold the BLAS of numpy and SciPy to one thread."""
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()  # looks through all loaded libraries, in some milliseconds
