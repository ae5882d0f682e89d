"""The commands and environments in which this program starts itself again."""

import os
import sys
from pathlib import Path

from objectives.script.environment import without_secrets
from search.processes.devices import DeviceShare
from search.settings import OF_THE_SUPERVISOR, Settings


def this_program() -> list[str]:
    """Return the words that start this program, without its command."""
    # -P: a folder named `search` in the working directory must not be taken for this package.
    return [sys.executable, "-P", "-m", "search.cli"]


def worker_words(
    study: str,
    worker: str,
    share: DeviceShare,
    *,
    data: Path | None = None,
    code: Path | None = None,
) -> list[str]:
    """Return the words of a supervised worker's command.

    share: the part of this machine that it gets.
    data, code: the folders of the study's data and code; None for those of the last run here.
    """
    folders = [("--data", data), ("--code", code)]
    named = [word for name, folder in folders if folder for word in (name, str(folder))]
    is_part = share.device == "cuda" and share.memory < 1
    memory = ["--gpu-memory", f"{share.memory:.4f}"] if is_part else []
    return ["worker", "--study", study, "--id", worker, *memory, *named]


def child_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of this process's children, without the supervisor's own secrets."""
    environment = without_secrets(os.environ)
    kept = {name: text for name, text in environment.items() if name not in OF_THE_SUPERVISOR}
    return {**kept, "SEARCH_HOME": str(settings.home)}
