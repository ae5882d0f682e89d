"""The newest whole state that the attempts at a trial have saved: a checkpoint, or a script's."""

import json
from pathlib import Path

from objectives.files import checkpoints
from search.chaos.curve import PATTERN


def newest_saved(trial: Path) -> Path | None:
    """Find the newest whole state in the folder of a trial."""
    folders = sorted(trial.glob("attempt-*"))
    states = [path for folder in folders for path in folder.glob(PATTERN) if _epoch_of(path)]
    return max(states, key=_epoch_of, default=None) or checkpoints.newest_good(folders)


def epoch_saved(trial: Path) -> int:
    """Return the epoch of the newest whole state in the folder of a trial; 0 without one."""
    newest = newest_saved(trial)
    return (checkpoints.epoch_of(newest.name) or _epoch_of(newest)) if newest else 0


def _epoch_of(state: Path) -> int:
    """Return the epoch of a script's state; 0 for one that was torn, or is gone by now."""
    try:
        return int(json.loads(state.read_text())["epoch"])
    except (ValueError, FileNotFoundError):
        return 0
