"""The end of a command by an error that nobody foresaw: one line, and the traceback in a file."""

import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from search.logs import hide_passwords
from search.report import report
from search.settings import read_settings
from spaces.exits import FAILED


def last_resort(error: Exception, words: Sequence[str]) -> int:
    """Write the traceback to a file, print one line that names it, and return the exit code."""
    kind = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    found = hide_passwords(f"an error that search does not know ({' '.join(kind.split())})")
    story = hide_passwords(
        f"search {version('search')}, Python {platform.python_version()}\n"
        f"search {' '.join(words)}\n\n{''.join(traceback.format_exception(error))}"
    )
    if file := _written(story):
        report(found, f"please send {file} and the output of `search doctor`", words)
    else:
        print(story, file=sys.stderr)
        report(found, "please send the lines above and the output of `search doctor`", words)
    return FAILED


def _written(story: str) -> Path | None:
    """Write the story to the home's logs, else to a temporary folder; None where neither can be."""
    name = f"error-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.txt"
    for folder_of in (_logs, tempfile.mkdtemp):
        with suppress(Exception):
            file = Path(folder_of()) / name
            file.write_text(story, encoding="utf-8", errors="backslashreplace")
            return file
    return None


def _logs() -> Path:
    """Return the folder of the home's logs, made where there is a home."""
    settings = read_settings()
    settings.logs.mkdir(exist_ok=True)
    return settings.logs
