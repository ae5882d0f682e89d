"""Find the events of a study that somebody should be told of."""

import secrets
import time
from collections.abc import Callable

from dashboards.analysis.snapshot import Snapshot
from search.notify.message import Event, Message, progress, write
from spaces.exits import BROKEN_OFF, DEVICE_LOST, DONE, FAILED, MISMATCH, WRONG

NOBODY_SECONDS = 15 * 60.0
# Why a run stopped by itself. Its own line may name files, so it is not sent.
REASONS = {
    FAILED: "its workers ended again and again without an epoch",
    WRONG: "its study, data or settings cannot be used as they are",
    BROKEN_OFF: "the same error ended three trials",
    DEVICE_LOST: "no GPU of this machine answers any more",
    MISMATCH: "this machine does not match the study",
}


def _ignore(_message: Message) -> None:
    pass


class Watch:
    """Tells each event of a study once.

    Times count on this machine's clock and while the database answers: after an outage all workers
    have been silent, which says nothing about them.
    """

    def __init__(
        self,
        tell: Callable[[Message], None] = _ignore,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch a study.

        tell: called with each message, once; it must not wait.
        clock: returns seconds.
        """
        self._tell, self._clock = tell, clock
        self._run = secrets.token_hex(8)  # a stop or an outage of another run is another event
        self._away_since: float | None = None
        self._idle_since: float | None = None
        self._silent_since: dict[tuple[int, int], float] = {}  # by trial and attempt
        self._told: set[str] = set()

    def look(self, snapshot: Snapshot) -> None:
        """Handle what the supervisor has just read."""
        self._away_since = None
        self._look_for_silent_trials(snapshot)
        self._look_for_workers(snapshot)

    def database_is_away(self, snapshot: Snapshot) -> None:
        """Handle a look that failed.

        snapshot: the latest one.
        """
        self._idle_since = None
        self._silent_since.clear()
        self._away_since = self._clock() if self._away_since is None else self._away_since
        minutes = snapshot.study.outage_minutes
        if self._clock() - self._away_since > minutes * 60:
            sentence = f"The database of {{study}} has not answered for {minutes:g} min."
            fact = f"{self._run} {self._away_since}"
            self._send(write(Event.DATABASE_AWAY, snapshot, fact, sentence))

    def killed(self, snapshot: Snapshot, worker: str) -> None:
        """Handle the kill of a worker that no longer moved."""
        for trial in snapshot.running:
            if trial.worker == worker:
                does = "made no step for too long: its worker was killed, another one continues it"
                self._stalled(snapshot, (trial.number, trial.attempts), does)

    def ended(self, snapshot: Snapshot, exit_code: int) -> None:
        """Handle the end of the run; one that somebody asked for is no event."""
        is_over = snapshot.ended >= snapshot.study.trials
        if exit_code == DONE or (exit_code == FAILED and is_over):
            sentence = f"{{study}} is finished: {progress(snapshot)}."
            self._send(write(Event.FINISHED, snapshot, str(snapshot.study.trials), sentence))
        elif exit_code in REASONS:
            self._stopped(snapshot, REASONS[exit_code])

    def broke(self, snapshot: Snapshot) -> None:
        """Handle an error of the supervisor's own, which ends the run."""
        self._stopped(snapshot, "search itself met an error")

    def _stopped(self, snapshot: Snapshot, reason: str) -> None:
        sentence = f"{{study}} has stopped by itself because {reason}: {progress(snapshot)}."
        self._send(write(Event.STOPPED, snapshot, self._run, sentence))

    def _look_for_silent_trials(self, snapshot: Snapshot) -> None:
        """Find trials whose worker, here or on another machine, is silent and not replaced."""
        overdue = {row.worker for row in snapshot.look.workers if row.is_overdue}
        silent = {
            (trial.number, trial.attempts)
            for trial in snapshot.running
            if trial.worker in overdue and not trial.is_leased
        }
        since = self._silent_since
        self._silent_since = {each: since.get(each, self._clock()) for each in silent}
        minutes = snapshot.study.stall_minutes
        for each, first_seen in self._silent_since.items():
            if self._clock() - first_seen > minutes * 60:
                self._stalled(
                    snapshot, each, f"waits: its worker has been silent for {minutes:g} min"
                )

    def _look_for_workers(self, snapshot: Snapshot) -> None:
        left = snapshot.study.trials - snapshot.ended
        if left <= 0 or any(not worker.is_overdue for worker in snapshot.live_workers):
            self._idle_since = None
            return
        self._idle_since = self._clock() if self._idle_since is None else self._idle_since
        if self._clock() - self._idle_since > NOBODY_SECONDS:
            minutes = f"{NOBODY_SECONDS / 60:g}"
            sentence = f"No worker has worked on {{study}} for {minutes} min: {progress(snapshot)}."
            fact = f"{self._run} {self._idle_since}"
            self._send(write(Event.NOBODY_WORKING, snapshot, fact, sentence))

    def _stalled(self, snapshot: Snapshot, which: tuple[int, int], does: str) -> None:
        number, attempt = which
        fact, sentence = f"{number} {attempt}", f"Trial {number} of {{study}} {does}."
        self._send(write(Event.STALLED, snapshot, fact, sentence))

    def _send(self, message: Message) -> None:
        if message.id not in self._told:
            self._told.add(message.id)
            self._tell(message)
