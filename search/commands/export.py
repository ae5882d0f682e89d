"""`search export`: write a trial's whole configuration to the terminal or a file."""

import sys
from argparse import Namespace
from pathlib import Path

from search.database import open_store
from search.exports.exported import Exported
from search.exports.out import write_out
from search.exports.trial import as_yaml, export_trial
from search.settings import Settings
from search.studies.declare import stored_name
from spaces.exits import DONE


def export(arguments: Namespace, settings: Settings) -> int:
    """Write a trial's configuration, seed, data fingerprint, versions and metrics as YAML."""
    name = stored_name(arguments.study)
    with open_store(settings) as store:
        exported = export_trial(store, name, arguments.trial)
    if arguments.out in (None, Path("-")):
        print(as_yaml(exported), end="")
        return DONE
    is_new_folder = write_out(arguments.out, as_yaml(exported))
    where = f"{arguments.out} in a new folder" if is_new_folder else f"{arguments.out}"
    print(f"{where}: {_in_words(exported)}", file=sys.stderr)
    return DONE


def _in_words(exported: Exported) -> str:
    value, folds = exported.value, exported.data.folds
    number = exported.outcome if value.value is None else f"{value.value:.4g}"
    epochs = exported.value_epochs
    where = f"over {len(epochs)} folds" if folds else f"at epoch {epochs[0].epoch}"
    practice = " (practice data)" if exported.practice_data else ""
    return f"trial {exported.trial} of {exported.study}, {value.metric} {number} {where}{practice}"
