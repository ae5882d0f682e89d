"""`search run`: start a study, or go on with it."""

import sys
from argparse import Namespace

from search.create import Wishes, parse_pins, prepare, store_study
from search.lock import run_lock
from search.logs import set_up_logs
from search.opened import open_store
from search.settings import Settings


def run(arguments: Namespace, settings: Settings) -> int:
    """Check the study, store it, and keep its workers running to the end."""
    wishes = Wishes(
        arguments.study,
        arguments.data,
        parse_pins(arguments.pins),
        arguments.name,
        arguments.trials,
    )
    prepared = prepare(wishes, settings)
    port = _port(arguments)
    for finding in prepared.findings:
        print(f"search: {finding.level}: {finding.message} ({finding.rule})", file=sys.stderr)
    set_up_logs(settings.logs / prepared.study.name / "run.log")
    with (
        run_lock(prepared.study.name, settings.study_folder(prepared.study.name)),
        open_store(settings) as store,
    ):
        row = store_study(prepared, wishes, settings, store)
        store.clear_stop(row.name)
        return 0
