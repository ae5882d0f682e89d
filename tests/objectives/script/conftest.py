"""A folder with scripts, which are run as objectives without a study, a worker or a database."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from objectives.contract import Attempt, DataSource, EpochResult
from objectives.script.objective import script_objective

# Spelt as `spaces.script.Script.as_mapping` spells it, which these tests may not import alone.
DECLARED = {
    "results": {"kind": "reports"},
    "runs_in": "study",
    "grace_seconds": 20.0,
    "deterministic": False,
}


@dataclass(frozen=True)
class Place:
    """A study's folder and the folder of an attempt in it."""

    folder: Path
    attempt: Attempt

    def write(self, name: str, text: str) -> Path:
        """Write a file beside the study."""
        path = self.folder / name
        path.write_text(text)
        return path

    def results(
        self, *command: str, config: Mapping[str, Any] | None = None, **declared: Any
    ) -> Iterator[EpochResult]:
        """Run a command and return its results as they come."""
        script = script_objective({**DECLARED, "command": command, **declared}, self.folder)
        return script(config or {}, self.attempt)

    def values(self, *command: str, **options: Any) -> list[tuple[int, dict[str, float]]]:
        """Run a command to its end and return the epochs with their metrics."""
        return [(each.epoch, dict(each.metrics)) for each in self.results(*command, **options)]

    def having(self, **facts: Any) -> "Place":
        """Return this place with other facts of the attempt."""
        return replace(self, attempt=replace(self.attempt, **facts))

    @property
    def output(self) -> str:
        """The output that the attempt has kept."""
        return (self.attempt.folder / "output.log").read_text()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty folder of a study, with an attempt that begins."""
    folder = tmp_path / "attempt"
    folder.mkdir()
    return Place(tmp_path, Attempt(folder=folder, data=DataSource(layout={}), seed=7))


def wait_until(answer: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Ask until the answer is yes, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := answer():
            return found
        time.sleep(0.01)
    return pytest.fail("it did not come to it")


def processes_of(folder: Path) -> list[psutil.Process]:
    """List the living processes whose environment names an attempt below a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            trial = process.environ().get("SEARCH_TRIAL_FILE", "")
            if trial.startswith(str(folder)) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found
