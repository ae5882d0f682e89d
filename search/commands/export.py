"""`search export`: a trial's whole configuration, to the terminal or a file."""

import sys
from argparse import Namespace

from search.database import open_store
from search.exports.trial import as_yaml, write_yaml
from search.exports.trial import export as export_trial
from search.settings import Settings


def export(arguments: Namespace, settings: Settings) -> int:
    """Write a trial's configuration, seed, data fingerprint, versions and metrics as YAML."""
    with open_store(settings) as store:
        exported = export_trial(store, arguments.study, arguments.trial)
    if arguments.out is None:
        print(as_yaml(exported), end="")
        return 0
    write_yaml(exported, arguments.out)
    value = exported["value"]
    folds = value.get("epochs")
    where = f"over {len(folds)} folds" if folds else f"at epoch {value['epoch']}"
    number = exported["outcome"] if value["value"] is None else f"{value['value']:.4g}"
    print(
        f"{arguments.out}: trial {exported['trial']} of {exported['study']},"
        f" {value['metric']} {number} {where}"
        + (" (practice data)" if exported["practice_data"] else ""),
        file=sys.stderr,
    )
    return 0
