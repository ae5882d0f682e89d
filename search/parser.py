"""The parser of the command line: every command with its options and their help."""

import argparse
import math
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from objectives.practice.flags import SETS as PRACTICE_SETS
from objectives.practice.flags import dirt_help
from search.errors import UsageError
from search.report import REASON_FILE
from spaces.errors import closest, nearest

GUARDS = ("fence", "claim", "replay")  # as in storage/faults.py, which is too heavy to import here
MOST = 1_000_000  # trials, images or workers; a larger number is a typing error
Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


class Parser(argparse.ArgumentParser):
    """argparse's parser, with its errors in one line."""

    def error(self, message: str, hint: str = "") -> NoReturn:
        """Raise UsageError with a hint and the command that shows the usage."""
        raise UsageError(message, f"{hint}see `{self.prog} --help`")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse an unknown option here, where the options of its command are known."""
        arguments, unknown = super().parse_known_args(args, namespace)
        if unknown:
            known = [word for each in self._actions for word in each.option_strings]
            asked = (word.partition("=")[0] for word in unknown if word.startswith("--"))
            hints = (f"did you mean {near}? " for word in asked if (near := closest(word, known)))
            self.error(f"unrecognized arguments: {' '.join(unknown)}", next(hints, ""))
        return arguments, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse an unknown command or choice with the nearest one; argparse lists them all."""
        if action.choices is not None and value not in action.choices:
            near = nearest(str(value), map(str, action.choices))
            raise argparse.ArgumentError(action, f"there is no {value!r}, {near}")


def build_parser() -> Parser:
    """Build the parser of the whole command line."""
    parser = Parser(prog="search", description="Hyperparameter search that loses nothing.")
    parser.add_argument("--version", action="version", version=version("search"))
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_study_commands(commands)
    _add_run_commands(commands)
    _add_result_commands(commands)
    _add_machine_commands(commands)
    return parser


def _add_study_commands(commands: Commands) -> None:
    init = _add(commands, "init", "init:init", "write a study file to start from")
    init.add_argument("path", type=_file, metavar="my_study.py", help="the file to write")

    check = _add(
        commands, "check", "check:check", "check a study's rules and data before anything runs"
    )
    _add_study(check)
    _add_data(check)
    _add_pins(check)
    _add_name(check, "the name that it will be run under")
    check.add_argument("--rules-only", action="store_true", help="do not look at the data")
    check.add_argument(
        "--fix", action="store_true", help="write a split without the faults that a split can avoid"
    )
    check.add_argument("--no-throughput", action="store_true", help="do not measure the speed")
    _add_json(check)

    parameters = _add(
        commands,
        "parameters",
        "parameters:parameters",
        "list the hyperparameters that a study may fix or search",
    )
    parameters.add_argument(
        "--objective", default="image_classifier", metavar="NAME", help="default: image_classifier"
    )
    _add_json(parameters)

    plan = _add(
        commands, "plan", "plan:plan", "measure what a study will cost on this machine's devices"
    )
    _add_study(plan)
    _add_data(plan)
    _add_pins(plan)
    _add_workers(plan)
    plan.add_argument("--trials", type=_positive, metavar="N", help="default: the study's total")
    _add_name(plan, "the name that it will be run under")
    plan.add_argument(
        "--gpu-hours", type=_hours, metavar="H", help="also say how many trials fit into H hours"
    )
    _add_json(plan)

    data = _add_group(commands, "data", "make practice data for a study")
    make = _add(data, "make", "data:make", "draw a study's practice set")
    make.add_argument("study", help=", ".join(PRACTICE_SETS))
    make.add_argument("--out", type=_path, required=True, metavar="DIR", help="the folder to fill")
    make.add_argument("--images", type=_positive, metavar="N", help="number of images or patients")
    make.add_argument("--seed", type=int, default=0, metavar="K", help="default: 0")
    make.add_argument(
        "--dirt", metavar="FLAG,FLAG", help="the faults of real data to add, see below"
    )
    make.formatter_class = argparse.RawDescriptionHelpFormatter
    make.epilog = dirt_help()

    delete = _add(commands, "delete", "delete:delete", "delete a study with its trials and files")
    delete.add_argument("name", help="the study")
    delete.add_argument("--yes", action="store_true", help="delete it without asking again")


def _add_run_commands(commands: Commands) -> None:
    run = _add(commands, "run", "run:run", "start a study, or go on with it")
    _add_study(run)
    _add_data(run)
    _add_workers(run)
    run.add_argument("--trials", type=_positive, metavar="N", help="the study's new total")
    _add_pins(run)
    _add_name(run, "start it under another name")
    run.add_argument(
        "--skip-check",
        action="append",
        default=[],
        metavar="C03",
        help="go on although the data break this rule; the study records it",
    )
    _add_address(run)
    run.add_argument("--no-dashboard", action="store_true", help="do not start the dashboard")
    run.add_argument("--detach", action="store_true", help="go on without this terminal")
    run.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)  # the detaching command's

    worker = _add(
        commands, "worker", "worker:worker", "run one worker, for example on another machine"
    )
    _add_stored_study(worker)
    _add_data(worker)
    worker.add_argument("--id", metavar="NAME", help=argparse.SUPPRESS)
    worker.add_argument(REASON_FILE, type=Path, help=argparse.SUPPRESS)  # a supervisor reads it

    status = _add(commands, "status", "status:status", "show trials, workers and best values")
    _add_stored_study(status, required=False)
    status.add_argument("--all", action="store_true", help="all trials, not only the last 20")
    _add_json(status)

    stop = _add(commands, "stop", "stop:stop", "stop a running study after the epochs in flight")
    _add_stored_study(stop)
    stop.add_argument("--now", action="store_true", help="do not wait for the epochs to end")

    dashboard = _add(
        commands, "dashboard", "dashboard:dashboard", "serve the dashboard without running a study"
    )
    _add_address(dashboard)
    dashboard.add_argument("--fd", type=int, help=argparse.SUPPRESS)  # a listening socket


def _add_result_commands(commands: Commands) -> None:
    export = _add(
        commands, "export", "export:export", "write a trial's whole configuration and results"
    )
    _add_stored_study(export)
    export.add_argument("--trial", default="best", metavar="best|N", help="default: best")
    export.add_argument("--out", type=_file, metavar="best.yaml", help="default: print it")

    retrain = _add(commands, "retrain", "retrain:retrain", "train an exported trial again")
    retrain.add_argument(
        "export", type=_path, metavar="best.yaml", help="a file that `search export` wrote"
    )
    retrain.add_argument(
        "--verify", action="store_true", help="exit with 1 unless the recorded numbers come back"
    )
    retrain.add_argument("--out", type=_path, metavar="DIR", help="the folder for the weights")
    _add_data(retrain)


def _add_machine_commands(commands: Commands) -> None:
    doctor = _add(
        commands, "doctor", "doctor:doctor", "check that this machine is ready for a search"
    )
    _add_workers(
        doctor, "on all machines, for a server of SEARCH_DATABASE_URL; default: those of this one"
    )
    _add_json(doctor)

    chaos = _add(
        commands,
        "chaos",
        "chaos:chaos",
        "kill, pause and cut off the workers of a toy study; check that nothing is lost",
    )
    chaos.add_argument("--rounds", type=_positive, default=12, metavar="N", help="default: 12")
    chaos.add_argument("--seed", type=int, default=0, metavar="K", help="default: 0")
    chaos.add_argument("--keep", action="store_true", help="keep the study's folder")
    chaos.add_argument("--faults", metavar="KIND,KIND", help="only these kinds of faults")
    chaos.add_argument(
        "--without",
        choices=GUARDS,
        metavar="GUARD",
        help=f"switch one protection off: {', '.join(GUARDS)}",
    )
    _add_json(chaos)

    database = _add_group(commands, "database", "start or stop the embedded Postgres")
    _add(database, "start", "database:start", "start the embedded Postgres and keep it up")
    _add(database, "stop", "database:stop", "stop the embedded Postgres")
    _add(database, "url", "database:url", "print the address of the embedded Postgres")


def _add_group(commands: Commands, name: str, help_text: str) -> Commands:
    group = commands.add_parser(name, help=help_text, description=_sentence(help_text))
    return group.add_subparsers(metavar="ACTION", required=True)


def _add(commands: Commands, name: str, function: str, help_text: str) -> Parser:
    parser = commands.add_parser(name, help=help_text, description=_sentence(help_text))
    parser.set_defaults(command=function)
    return parser


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _add_study(parser: Parser) -> None:
    help_text = "a shipped study, a stored one, or a file such as my_study.py"
    parser.add_argument("--study", required=True, metavar="S", help=help_text)


def _add_stored_study(parser: Parser, required: bool = True) -> None:
    help_text = "a stored study, by its name or its file; `search status` lists them"
    parser.add_argument("--study", required=required, metavar="S", help=help_text)


def _add_data(parser: Parser) -> None:
    help_text = "the data's folder; default: that of the last run, else data/<study>"
    parser.add_argument("--data", type=_path, metavar="DIR", help=help_text)


def _add_pins(parser: Parser) -> None:
    parser.add_argument(
        "--set",
        dest="pins",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="fix a hyperparameter at a value; may be given several times",
    )


def _add_name(parser: Parser, help_text: str) -> None:
    parser.add_argument("--as", dest="name", metavar="NAME", help=help_text)


def _add_workers(parser: Parser, help_text: str = "default: one per GPU, else 1") -> None:
    parser.add_argument("--workers", type=_positive, metavar="N", help=help_text)


def _add_address(parser: Parser) -> None:
    help_text = "the dashboard's port; default: the next free one from 8080 on"
    parser.add_argument("--port", type=int, metavar="P", help=help_text)


def _add_json(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _path(text: str) -> Path:
    if not text:  # Path("") is the current folder
        raise argparse.ArgumentTypeError("the path is empty; name one")
    return Path(text)


def _file(text: str) -> Path:
    if text.endswith("/"):
        raise argparse.ArgumentTypeError(f"{text!r} names a folder; name a file in it")
    return _path(text)


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = math.nan
    if not 0 < hours <= MOST:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of hours; give one above 0 and at most {MOST}"
        )
    return hours


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= MOST):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a whole number from 1 to {MOST}; use at least 1"
        )
    return int(text)
