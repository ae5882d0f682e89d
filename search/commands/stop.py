"""`search stop`: stop a running study from any machine."""

from argparse import Namespace

from dashboards.analysis.snapshot import at_work
from search.database import open_store
from search.settings import Settings
from search.studies.declare import stored_name


def stop(arguments: Namespace, settings: Settings) -> int:
    """Ask every worker of the study, on any machine, to hand its trial back."""
    name = stored_name(arguments.study)
    with open_store(settings) as store:
        # Requested even without a worker: a run may be about to start its first one.
        store.request_stop(name, "now" if arguments.now else "drain")
        is_at_work = bool(at_work(store.workers(name, at_work=True)))
    when = "at once" if arguments.now else "after the epoch in flight"
    what = f"stops {when}" if is_at_work else "has no worker that could stop"
    print(f"{name} {what}; `search run --study {arguments.study}` goes on with it")
    return 0
