"""The check of a node; it runs there also where search is not installed."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence

TIMEOUT_SECONDS = 300.0  # a large data set is listed


def probe(words: Sequence[str], variables: Mapping[str, str], home: str) -> tuple[str, str]:
    """Run the check of a worker on this node; return the node's name and what is missing.

    words: of the command, which prints JSON.
    """
    kept = {name: text for name, text in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    environment = {**kept, **variables, "SEARCH_HOME": kept.get("SEARCH_HOME") or home}
    command = [sys.executable, "-P", "-m", "search.cli", *words]
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return socket.gethostname(), f"its check takes over {TIMEOUT_SECONDS:g} s"
    return socket.gethostname(), _missing(done) if done.returncode else ""


def _missing(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the first fault that a check printed, with its fix."""
    try:
        told = json.loads(done.stdout)
        return "; ".join(filter(None, (told["error"], told["fix"])))
    except (ValueError, KeyError, TypeError):
        pass
    if "No module named search" in done.stderr or "No module named 'search" in done.stderr:
        return f"search is not installed in {sys.executable}; pip install the same version there"
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return lines[-1] if lines else f"its check ended with exit code {done.returncode}"
