"""A learning curve as a script: saved before each report, and continued from what is left.

`search chaos --script` runs it as anybody's script is run, `python curve.py`.
"""

import json
import math
import random
import time
from pathlib import Path
from typing import Any

from search.script import trial

STEPS = 10  # per epoch
PATTERN = "state-*.json"  # the two newest epochs, of which one may be torn


def main() -> None:
    """Train from the newest state that can be read, and report each epoch."""
    config, (last, distance) = trial.config, newest_state(trial.resume_from)
    if last:
        save(last, distance)  # if the next one is torn, this one is here
    for epoch in range(last + 1, config["epochs"] + 1):
        for _ in range(STEPS):
            time.sleep(config["seconds_per_epoch"] / STEPS)
            trial.progress()
        fitness = math.exp(-((math.log10(config["learning_rate"]) + 2) ** 2))
        distance *= 1 - 0.5 * fitness
        noise = random.Random(f"{trial.seed}/{epoch}").gauss(0, 0.01)
        save(epoch, distance)
        trial.report(epoch, val_loss=abs(0.3 - 0.2 * fitness + distance + noise))


def newest_state(folder: Path | None) -> tuple[int, float]:
    """Read the newest whole state in a folder; the beginning where there is none."""
    paths = sorted(folder.glob(PATTERN), reverse=True) if folder else []
    for path in paths:
        try:
            state: dict[str, Any] = json.loads(path.read_text())
        except ValueError:
            continue
        return state["epoch"], state["distance"]
    return 0, 2.0


def save(epoch: int, distance: float) -> None:
    """Save a state whole, and remove all but the two newest."""
    partial = trial.folder / "state.partial"
    partial.write_text(json.dumps({"epoch": epoch, "distance": distance}))
    partial.replace(trial.folder / f"state-{epoch:04d}.json")
    for old in sorted(trial.folder.glob(PATTERN))[:-2]:
        old.unlink()


if __name__ == "__main__":
    main()
