"""Messages: what happened to a study, in one JSON object without private facts.

No file names, groups, log lines or hyperparameters are in it: it leaves this machine.
"""

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from dashboards.analysis import wording
from dashboards.analysis.snapshot import Snapshot
from storage.rows import TrialRow


class Event(StrEnum):
    """An event that a message is sent for."""

    FINISHED = "finished"  # every trial has ended
    STOPPED = "stopped"  # the run has stopped by itself with trials left
    STALLED = "stalled"  # a trial made no step for too long
    NOBODY_WORKING = "nobody_working"  # trials are left, and no worker lives
    DATABASE_AWAY = "database_away"  # the database has not answered for too long


@dataclass(frozen=True, kw_only=True)
class Message:
    """One event of a study.

    id: the same for the same event, whoever sends it and however often.
    text: the event in one sentence.
    """

    event: Event
    id: str
    text: str
    snapshot: Snapshot
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def body(self) -> bytes:
        """Return the message as JSON."""
        return json.dumps(self._fields(), ensure_ascii=False).encode()

    def _fields(self) -> dict[str, Any]:
        now, best = self.snapshot, self.snapshot.best
        return {
            "event": self.event,
            "study": now.study.name,
            "at": self.at.isoformat(timespec="seconds"),
            "trials": {"ended": now.ended, "total": now.study.trials},
            "outcomes": dict(now.outcomes),
            "best": best and _numbers(best, now.study.metric),
            "practice": now.stored.found.is_practice,
            "text": self.text,
            "id": self.id,
        }


def write(event: Event, snapshot: Snapshot, fact: str, sentence: str) -> Message:
    """Write the message of an event.

    fact: tells the event from others of its kind and study, such as the trial and its attempt.
    sentence: the event in words, in which `{study}` stands for the name.
    """
    # Not the look's identity, which is another one after every start of the database.
    created_at = snapshot.look.study.created_at.astimezone(UTC).isoformat()
    facts = "\n".join([snapshot.study.name, created_at, event, fact])
    practice = " (practice data)" if snapshot.stored.found.is_practice else ""
    return Message(
        event=event,
        id=sha256(facts.encode()).hexdigest()[:16],
        text=sentence.replace("{study}", f"{snapshot.study.name}{practice}"),
        snapshot=snapshot,
    )


def progress(snapshot: Snapshot) -> str:
    """Count the trials and name the best value, as "5 of 8 trials have ended, best ..."."""
    counts = f"{snapshot.ended} of {snapshot.study.trials} trials have ended"
    best = snapshot.best
    if best is None:
        return f"{counts}, none finished"
    value = wording.number(best.value)
    return f"{counts}, best {snapshot.study.metric} {value} in trial {best.number}"


def _numbers(best: TrialRow, metric: str) -> dict[str, Any]:
    # JSON has no infinity.
    value = best.value if best.value is not None and math.isfinite(best.value) else None
    return {"number": best.number, "metric": metric, "value": value}
