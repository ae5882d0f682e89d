"""`search stop`: end a running study from anywhere."""

from argparse import Namespace

from search.opened import open_store
from search.settings import Settings


def stop(arguments: Namespace, settings: Settings) -> int:
    """Ask every worker of the study, on any machine, to hand its trial back."""
    with open_store(settings) as store:
        store.request_stop(arguments.study, "now" if arguments.now else "drain")
    when = "at once" if arguments.now else "after the epoch in flight"
    print(f"{arguments.study} stops {when}; `search run --study {arguments.study}` goes on with it")
    return 0
