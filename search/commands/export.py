"""`search export`: write a trial's whole configuration to the terminal or a file."""

import sys
from argparse import Namespace

from search.database import open_store
from search.errors import DONE
from search.exports.exported import Exported
from search.exports.trial import as_yaml, export_trial, write_yaml
from search.settings import Settings


def export(arguments: Namespace, settings: Settings) -> int:
    """Write a trial's configuration, seed, data fingerprint, versions and metrics as YAML."""
    with open_store(settings) as store:
        exported = export_trial(store, arguments.study, arguments.trial)
    if arguments.out is None:
        print(as_yaml(exported), end="")
        return DONE
    write_yaml(exported, arguments.out)
    print(f"{arguments.out}: {_in_words(exported)}", file=sys.stderr)
    return DONE


def _in_words(exported: Exported) -> str:
    value, folds = exported.value, exported.data.folds
    number = exported.outcome if value.value is None else f"{value.value:.4g}"
    epochs = exported.value_epochs
    where = f"over {len(epochs)} folds" if folds else f"at epoch {epochs[0].epoch}"
    practice = " (practice data)" if exported.practice_data else ""
    return f"trial {exported.trial} of {exported.study}, {value.metric} {number} {where}{practice}"
