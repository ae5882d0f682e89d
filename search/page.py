"""What tables are printed on: a terminal as wide as it is, a pipe as wide as they need."""

import sys

from rich.console import Console

UNBOUNDED = 10_000  # columns; rich takes what is no terminal for one of 80 and cuts names to fit


def page() -> Console:
    """Give a console on stdout that breaks no line where nobody's terminal does."""
    return Console(width=None if sys.stdout.isatty() else UNBOUNDED)
