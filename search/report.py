"""An error of a command, for a person, for programs and for a supervisor."""

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

PROGRAM = "search: "  # before every line of an error
REASON_FILE = "--reason-file"  # of `search worker`: where its supervisor reads its last error


def report(found: str, fix: str, words: Sequence[str]) -> None:
    """Print an error, and leave it for the supervisor that started this worker, if one did.

    With --json stdout gets it as well, as `{"error": found, "fix": fix}`.

    words: the command line.
    """
    line = PROGRAM + (f"{found}; {fix}" if fix else found)
    print(line, file=sys.stderr)
    if "--json" in words:
        print(json.dumps({"error": found, "fix": fix}))
    if REASON_FILE in words[:-1]:
        with suppress(OSError):  # the disk is full: the supervisor finds the line in the log
            file = Path(words[list(words).index(REASON_FILE) + 1])
            file.write_text(line, encoding="utf-8", errors="replace")
