"""The handlers of log lines, which a command in a test's own process replaces."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_log_handlers() -> Iterator[None]:
    """Put the handlers back at the end: those of a worker write to a stream of the test's."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        yield
    finally:
        for handler in set(root.handlers) - set(before):
            handler.close()  # the file of a run's log
        root.handlers[:] = before
        root.setLevel(level)
