"""The supervisor's care for the dashboard: one serves the home for as long as anybody runs here."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from dashboards.door.port import PortError
from search.processes.child import Child, describe_exit
from search.processes.dashboard_lock import Held, Living, find_living, open_again, take
from search.settings import Settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class DashboardProgram:
    """How to start the dashboard.

    command: `--fd N` is appended, the number of the listening socket.
    environment: the whole environment of its process.
    log: the file that receives what it prints.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path


class DashboardKeeper:
    """Keeps the home's dashboard: starts it where nobody serves, else knows the one that lives.

    A dashboard is the child of the run that started it and dies with it, however that ends. Then
    the next run of the home that looks takes over, on the same port.
    """

    def __init__(
        self, settings: Settings, program: DashboardProgram | None, listener: socket | None = None
    ) -> None:
        """Take nothing yet.

        program: None to start none, and only find the dashboard of others.
        listener: an open port to serve on at first; None for the port of the last dashboard here,
            or the next free one.
        """
        self._settings, self._program, self._listener = settings, program, listener
        self._child = Child(log=program.log, environment=program.environment) if program else None
        self._deaths = 0
        self._held: Held | None = None
        self._found: Living | None = None
        self._look_at = 0.0
        self._complaint = ""

    @property
    def living(self) -> Living | None:
        """The home's dashboard as it was at the last look."""
        return self._held.living if self._held else self._found

    def page(self, study: str) -> str:
        """Return the address of a study's page as of the last look, "" where nobody serves."""
        return self.living.page(study) if self.living else ""

    def look(self) -> bool:
        """Take the right to serve if nobody has it; else find the dashboard that lives.

        Returns False while somebody else is just starting one. Where no port can be opened or no
        file be locked, the run goes on without a dashboard.
        """
        if self._held:
            return True
        try:
            self._held = take(self._settings, self._open) if self._program else None
            self._found = None if self._held else find_living(self._settings)
            self._complaint = ""
        except (PortError, OSError) as error:
            self._found = None
            if str(error) != self._complaint:  # said once, tried every second
                self._complaint = str(error)
                log.warning("no dashboard: %s", error)
        if self._held:
            log.info("this run keeps the dashboard of its home: %s", self._held.living.url)
        if self.living:
            self._forget_listener()
        return bool(self.living or self._complaint or not self._program)

    def keep(self) -> None:
        """Look about once a second, and start the dashboard if it is this run's and not there."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_SECONDS
            self.look()
        if self._held and self._child and self._program:
            self._run(self._held, self._child, self._program)

    def close(self) -> None:
        """End this run's dashboard, and leave the home to the next one."""
        if self._child:
            self._child.kill()
        if self._held:
            self._held.close()
            self._held = None
        self._forget_listener()

    def _run(self, held: Held, child: Child, program: DashboardProgram) -> None:
        code = child.ended()
        if code is not None:
            self._deaths += 1
            child.pause(self._deaths)
            log.warning("the dashboard ended by %s: %s", describe_exit(code), child.reason())
        if child.may_start:
            # It holds the lock as well: nobody else serves before this process is gone, too.
            child.start([*program.command, "--fd", str(held.listener.fileno())], held.fds)

    def _open(self, last_port: int | None) -> socket:
        listener, self._listener = self._listener, None
        return listener or open_again(last_port)

    def _forget_listener(self) -> None:
        """Close the port that was opened for nothing, because somebody else serves already."""
        if self._listener:
            self._listener.close()
            self._listener = None
