"""The folder or bucket of files that a study's machines share, the same one on each."""

from search.settings import Settings
from storage.artifacts import shared_store
from storage.errors import UnknownStudy
from storage.store import Store

RECENT_WORKERS = 20  # of those that have ended


def check_shared(settings: Settings, store: Store | None = None, study: str = "") -> str | None:
    """Try the artifact store that this machine shares with others, and return its mark.

    Returns None where it shares none, or a bucket. A folder at the place that the study's workers
    used before must be the same one: else it is not mounted, or every machine has its own. Raises
    ArtifactsUnreachable.

    store: None where no study can be stored yet.
    """
    if settings.shared_artifacts is None:
        return None
    mark = known_mark(settings, store, study) if store else None
    return shared_store(settings.shared_artifacts, mark)[1] or None


def known_mark(settings: Settings, store: Store, study: str) -> str | None:
    """Return the mark of the folder at this place that a worker of the study used last, if any."""
    if settings.shared_artifacts is None:
        return None
    try:
        rows = [*store.workers(study, at_work=True), *store.recent_workers(study, RECENT_WORKERS)]
    except UnknownStudy:
        return None
    used = [(row.started_at, row.machine.get("artifacts") or {}) for row in rows]
    here = settings.shared_artifacts
    marks = [(at, it["mark"]) for at, it in used if it.get("location") == here and it["mark"]]
    return max(marks)[1] if marks else None
