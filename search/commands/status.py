"""`search status`: the trials, workers and best values of one study or of all."""

from argparse import Namespace

from search.database import has_store, open_store
from search.errors import UsageError
from search.settings import Settings
from search.studies.declare import stored_name
from search.terminal.console import page
from search.terminal.status import print_status
from storage.errors import unknown_study


def status(arguments: Namespace, settings: Settings) -> int:
    """Print the state of a study, or of every study; reading changes nothing."""
    if arguments.all and arguments.study is None:
        raise UsageError("--all lists the trials of one study", "name it with --study")
    name = None if arguments.study is None else stored_name(arguments.study)
    if not has_store(settings):
        if name is not None:
            raise unknown_study(name, [])
        print(
            "[]" if arguments.json else "no study yet; start one with `search run --study digits`"
        )
        return 0
    with open_store(settings) as store:
        print_status(store, name, as_json=arguments.json, console=page(), every_trial=arguments.all)
    return 0
