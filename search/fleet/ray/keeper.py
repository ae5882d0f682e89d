"""Keep one `search worker` alive on this node, for as long as this process lives.

Nothing of it knows Ray. A thread starts the worker, because the worker dies with the thread that
forked it, and an actor's methods may run on any.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from search.fleet.engine import Slot, State
from search.fleet.ray.duty import Duty
from search.processes.child import Child, describe_exit
from search.processes.devices import DeviceShare, worker_environment
from search.processes.program import this_program
from search.report import PROGRAM, REASON_FILE
from spaces.exits import DEVICE_LOST, DONE, LASTING

log = logging.getLogger(__name__)

TICK_SECONDS = 0.1
STEADY_SECONDS = 60.0  # a worker that lived so long is started again without a longer pause


class Keeper:
    """A thread that keeps a worker alive; its methods return at once.

    share: the worker's device and threads.
    base: the environment of this node.
    over: called from the thread when nothing is left to keep: the study is done, or a drain that
        `leave` asked for has ended.
    """

    def __init__(
        self, duty: Duty, share: DeviceShare, base: Mapping[str, str], over: Callable[[], None]
    ) -> None:
        self._duty, self._share, self._base, self._over = duty, share, dict(base), over
        self._child = self._new_child()
        self._lock = threading.Lock()  # a new duty comes between two looks, never amid a start
        self._state, self._reason = State.STARTING, ""
        self._starts, self._deaths, self._started_at = 0, 0, 0.0
        self._draining, self._killing, self._leaving = False, False, False
        self._is_told = False  # the worker has its signal
        threading.Thread(target=self._run, name="keeper", daemon=True).start()

    def slot(self) -> Slot:
        """Return the place as it is now."""
        process = self._child.process
        return Slot(
            name=self._duty.name.rpartition("/")[2],
            state=self._state,
            node=socket.gethostname(),
            gpu=self._share.visible,
            pid=process.pid if process else None,
            restarts=max(0, self._starts - 1),
            reason=self._reason,
        )

    def renew(self, duty: Duty) -> None:
        """Take a new duty, and start a worker where the last one was not to be started again.

        A worker that runs goes on; the duty counts for the next one.
        """
        with self._lock:
            self._duty = duty
            self._child.environment = self._environment()
            self._draining, self._killing, self._is_told = False, False, False
            if self._child.process is None:
                self._child.pause(0)
                self._state, self._deaths = State.STARTING, 0
            else:
                self._state = State.UP

    def drain(self) -> None:
        """Let the worker end its epoch and hand its trial back; start none again."""
        self._draining = True

    def kill(self) -> None:
        """Kill the worker with its processes; start none again."""
        self._killing = True

    def leave(self) -> None:
        """Drain, and then call `over`."""
        self._leaving = self._draining = True

    def _run(self) -> None:
        try:
            while not (self._is_idle() and (self._state is State.DONE or self._leaving)):
                with self._lock:
                    self._look()
                time.sleep(TICK_SECONDS)
        except BaseException:
            log.exception("the keeper of %s failed", self._duty.name)
            os._exit(1)  # Ray starts the actor again
        self._over()

    def _is_idle(self) -> bool:
        return self._child.process is None and self._state not in (
            State.STARTING,
            State.RESTARTING,
            State.DRAINING,
        )

    def _look(self) -> None:
        self._pass_on()
        code = self._child.ended()
        if code is not None:
            self._settle(code)
        elif self._child.process is None and (self._draining or self._killing):
            if self._state in (State.STARTING, State.RESTARTING, State.DRAINING):
                self._state = State.DRAINED
        elif self._child.may_start and self._state in (State.STARTING, State.RESTARTING):
            self._start()

    def _pass_on(self) -> None:
        """Pass a drain or a kill on to the worker."""
        if self._child.process is None:
            return
        if self._killing:
            self._child.kill()
        elif self._draining and not self._is_told:
            self._is_told, self._state = True, State.DRAINING
            self._child.terminate()

    def _start(self) -> None:
        command = [*this_program(), *self._duty.words, REASON_FILE, str(self._child.reason_file)]
        try:
            self._child.start(command)
        except OSError as error:  # the disk is full, or the home away: it may come back
            self._deaths += 1
            self._child.pause(self._deaths)
            self._reason = str(error)
            return
        self._starts += 1
        self._started_at = time.monotonic()
        self._state = State.UP

    def _settle(self, code: int) -> None:
        """Decide what an ended worker means for this place."""
        self._reason = self._why(code)
        if self._draining or self._killing:
            self._state = State.DRAINED
        elif code == DONE:
            self._state = State.DONE
        elif code == DEVICE_LOST:
            self._state = State.GPU_LOST
        elif code in LASTING:
            self._state = State.REFUSED
        else:
            steady = time.monotonic() - self._started_at >= STEADY_SECONDS
            self._deaths = 0 if steady else self._deaths + 1
            self._child.pause(self._deaths)
            self._state = State.RESTARTING

    def _why(self, code: int) -> str:
        if code <= 0:
            return describe_exit(code) if code else ""
        return self._child.reason().removeprefix(PROGRAM)

    def _new_child(self) -> Child:
        number = self._duty.name.rpartition("/")[2]
        log = self._home() / "logs" / self._duty.study / f"fleet-worker-{number}.log"
        return Child(log=log, environment=self._environment())

    def _environment(self) -> dict[str, str]:
        given = {**self._base, **self._duty.environment, "SEARCH_HOME": str(self._home())}
        return worker_environment(self._share, given)

    def _home(self) -> Path:
        return Path(self._base.get("SEARCH_HOME") or self._duty.home)
