"""`search stop`: stop a running study, or end one of its trials, from any machine."""

from argparse import Namespace

from dashboards.changes import end_trial, stop_study
from search.database import open_store
from search.settings import Settings
from search.studies.declare import stored_name


def stop(arguments: Namespace, settings: Settings) -> int:
    """Ask every worker of the study, on any machine, to hand its trial back; or end one trial."""
    name = stored_name(arguments.study)
    with open_store(settings) as store:
        if arguments.trial is not None:
            print(end_trial(store, name, arguments.trial))
        else:
            done = stop_study(store, name, "now" if arguments.now else "drain")
            print(f"{done}; `search run --study {arguments.study}` goes on with it")
    return 0
