"""Changes that a person makes to a study, from the command line and from its page alike."""

from dataclasses import replace
from typing import Literal

from dashboards.analysis.numbers import counted
from dashboards.analysis.snapshot import at_work
from spaces.errors import StudyError
from spaces.stored import StoredStudy, from_json, to_json
from storage.store import Store, StudyRow

ENDED_BEFORE = "had ended before"
MOST_TRIALS = 1_000_000  # a larger number is a typing error


def stop_study(store: Store, name: str, how: Literal["drain", "now"]) -> str:
    """Ask every worker of a study, on any machine, to stop; return what that does in a sentence.

    how: after the epoch in flight ("drain"), or at once ("now").
    """
    # Requested even without a worker: a run may be about to start its first one.
    store.request_stop(name, how)
    when = "at once" if how == "now" else "after the epoch in flight"
    is_at_work = bool(at_work(store.workers(name, at_work=True)))
    return f"{name} stops {when}" if is_at_work else f"{name} has no worker that could stop"


def end_trial(store: Store, name: str, number: int) -> str:
    """End one trial as failed; return what that does in a sentence."""
    if store.end_trial(name, number):
        return f"trial {number} of {name} is ended; its worker takes another one"
    return f"trial {number} of {name} {ENDED_BEFORE}"


def set_total(store: Store, name: str, total: int) -> str:
    """Set the number of trials of a study; return what that does in a sentence.

    Raises StudyError for fewer than have begun.
    """
    row = store.study(name)
    check_total(row, total, store)
    stored = from_json(row.definition)
    going_on = StoredStudy(replace(stored.study, trials=total), stored.found)
    store.update_definition(name, to_json(going_on), total)
    is_at_work = bool(at_work(store.workers(name, at_work=True)))
    how = "" if is_at_work else f"; nobody trains, go on with `search run --study {name}`"
    return f"{name} goes on to {counted(total, 'trial')}{how}"


def check_total(row: StudyRow, total: int, store: Store) -> None:
    """Raise StudyError for a total below the trials that have begun, out of range, or beyond the
    promoted ones."""
    begun = store.counts(row.name).begun
    if not max(1, begun) <= total <= MOST_TRIALS:
        raise StudyError(
            f"{row.name!r} has begun {counted(begun, 'trial')}; {total} cannot be its total",
            f"give a total of {max(1, begun)} or more, at most {MOST_TRIALS}",
        )
    stored = from_json(row.definition)
    source, promoted = stored.found.promoted_from, len(stored.study.enqueue)
    if source and total > promoted:
        raise StudyError(
            f"{row.name!r} trains the {counted(promoted, 'promoted configuration')} of {source} and"
            " draws no others",
            f"promote more into a new study: search run --promote {source}"
            f" --as {row.name}-{total} --trials {total}",
        )
