"""`search status`: the trials, workers and best values of one study or of all."""

from argparse import Namespace

from search.database import has_store, open_store
from search.settings import Settings
from search.terminal.console import page
from search.terminal.status import print_status


def status(arguments: Namespace, settings: Settings) -> int:
    """Print the state of a study, or of every study; reading changes nothing."""
    if not has_store(settings):
        print(
            "[]" if arguments.json else "no study yet; start one with `search run --study digits`"
        )
        return 0
    with open_store(settings) as store:
        print_status(store, arguments.study, arguments.json, page())
    return 0
