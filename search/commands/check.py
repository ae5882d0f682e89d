"""`search check`: what is wrong with a study or its data, before anything runs."""

from argparse import Namespace

from search.prepare import Wishes, check_rules, declared_study, parse_pins, prepare
from search.settings import Settings


def check(arguments: Namespace, settings: Settings) -> int:
    """Print what the rules find; an error among it ends the command with exit code 2."""
    pins = parse_pins(arguments.pins)
    if arguments.rules_only:
        study = declared_study(arguments.study, settings).pinned(pins)
        _print(check_rules(study), arguments.json)
        return 0
    prepared = prepare(Wishes(arguments.study, arguments.data, pins), settings)
    _print(prepared.findings, arguments.json)
    if not arguments.json:
        _print_counts(prepared.summary.counts, prepared.summary.groups)
    return 0
