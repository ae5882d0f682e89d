"""`search machines`: every machine that works, or has worked, on a study."""

from argparse import Namespace

from search.database import open_store
from search.settings import Settings
from search.studies.declare import stored_name
from search.terminal.console import page
from search.terminal.machines import print_machines
from spaces.exits import DONE


def machines(arguments: Namespace, settings: Settings) -> int:
    """Print what each machine has, how it differs from the study, and its share of the work."""
    name = stored_name(arguments.study)
    with open_store(settings) as store:
        print_machines(store, name, as_json=arguments.json, console=page())
    return DONE
