"""The devices of a run that no longer answer."""

import subprocess
import time
from collections.abc import Mapping

from search.processes.ask_device import PATIENCE_SECONDS, give_up, read_answer, start_asking


class LostDevices:
    """The knowledge about the devices of a run, each by its CUDA_VISIBLE_DEVICES.

    Asking takes seconds, and a driver in a bad state may never answer: nothing waits for it here.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._asked: dict[str, tuple[subprocess.Popen[str], float]] = {}
        self._lost: dict[str, str] = {}

    def ask(self, visible: str) -> None:
        """Begin to ask the driver about a device, unless it is lost or being asked about."""
        if visible not in self._lost and visible not in self._asked:
            ends_at = time.monotonic() + PATIENCE_SECONDS
            self._asked[visible] = (start_asking(visible, self._environment), ends_at)

    def is_asked(self, visible: str) -> bool:
        """Say whether the driver has not answered yet about a device."""
        if visible not in self._asked:
            return False
        question, ends_at = self._asked[visible]
        if question.poll() is None and time.monotonic() < ends_at:
            return True
        del self._asked[visible]
        if trouble := read_answer(question).trouble:
            self.lose(visible, trouble)
        return False

    def lose(self, visible: str, trouble: str) -> None:
        """Note that a device is not to be used again."""
        self._lost.setdefault(visible, trouble)

    def trouble(self, visible: str) -> str | None:
        """Return why a device is not to be used again; None where it may be."""
        return self._lost.get(visible)

    def close(self) -> None:
        """End the questions that are open."""
        for question, _ in self._asked.values():
            give_up(question)
        self._asked.clear()
