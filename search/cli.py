"""The command line: what can be typed, and which exit code an ending has.

Nothing heavy is imported here: `search --help` answers at once.
"""

import argparse
import importlib
import math
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from objectives.practice.flags import SETS as PRACTICE_SETS
from objectives.practice.flags import dirt_help
from search.errors import DRAINED, WRONG, user_errors
from search.settings import read_settings

GUARDS = ("fence", "claim", "replay")  # as in storage/faults.py, which is too heavy to import here
MOST = 1_000_000  # of trials, images, workers: more is a slip of the finger
Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def main(words: Sequence[str] | None = None, **given: Any) -> int:
    """Run one command and give its exit code; a user's error is one line on stderr.

    words: the command line, sys.argv's where it is None.
    given: further arguments of the command's function, for callers in Python.
    """
    _settle_streams()
    # Unwinds what is open, the embedded Postgres too; who trains installs handlers of its own.
    for signum in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(signum) == signal.SIG_DFL:
            signal.signal(signum, lambda *_: sys.exit(DRAINED))
    words = sys.argv[1:] if words is None else words
    arguments = build_parser().parse_args(words, argparse.Namespace(words=words))
    module, _, function = arguments.command.partition(":")
    try:
        command = getattr(importlib.import_module(f"search.commands.{module}"), function)
        code: int = command(arguments, read_settings(), **given)
    except user_errors() as error:
        _report(f"search: {error}", arguments)
        return getattr(error, "exit_code", WRONG)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `search status | head`
        sys.stderr.close()
        return 0
    except OSError as error:
        file = error.filename2 or error.filename  # a rename is told by where it leads
        if file is None:
            raise
        _report(f"search: {file}: {error.strerror}; choose another place", arguments)
        return WRONG
    return code


def _report(line: str, arguments: argparse.Namespace) -> None:
    """Print an error, and leave it for the supervisor that started this worker, if one did."""
    print(line, file=sys.stderr)
    if reason_file := getattr(arguments, "reason_file", None):
        reason_file.write_text(line, encoding="utf-8")


def _settle_streams() -> None:
    """Let no closed stream and no locale without our letters end a run."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - open to the end
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115 - open to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


class Parser(argparse.ArgumentParser):
    """argparse's own, with one line for what cannot be understood."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where the usage stands, and exit with 2."""
        self.exit(WRONG, f"{self.prog}: {message}; see `{self.prog} --help`\n")


def build_parser() -> Parser:
    """Give the parser of the whole command line."""
    parser = Parser(prog="search", description="Hyperparameter search that loses nothing.")
    parser.add_argument("--version", action="version", version=version("search"))
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_study_commands(commands)
    _add_run_commands(commands)
    _add_result_commands(commands)
    _add_machine_commands(commands)
    return parser


def _add_study_commands(commands: Commands) -> None:
    init = _add(commands, "init", "init:init", "write a study file of your own to start from")
    init.add_argument("path", type=Path, metavar="my_study.py")

    check = _add(commands, "check", "check:check", "find what is wrong before anything runs")
    _add_study(check)
    _add_data(check)
    _add_pins(check)
    check.add_argument("--as", dest="name", metavar="NAME", help="the name it will be run under")
    check.add_argument("--rules-only", action="store_true", help="do not look at the data")
    check.add_argument("--fix", action="store_true", help="write a split that mends what it can")
    check.add_argument("--no-throughput", action="store_true", help="do not measure the speed")
    _add_json(check)

    parameters = _add(
        commands, "parameters", "parameters:parameters", "what a study may fix or search"
    )
    parameters.add_argument("--objective", default="image_classifier", metavar="NAME")
    _add_json(parameters)

    plan = _add(commands, "plan", "plan:plan", "what it will cost on this device, measured")
    _add_study(plan)
    _add_data(plan)
    _add_pins(plan)
    plan.add_argument("--workers", type=_positive, metavar="N", help="default: one per GPU, else 1")
    plan.add_argument("--trials", type=_positive, metavar="N", help="how many to count with")
    plan.add_argument("--as", dest="name", metavar="NAME", help="the name it will be run under")
    plan.add_argument("--gpu-hours", type=_hours, metavar="H", help="how many trials that is")
    _add_json(plan)

    data = commands.add_parser("data", help="make a study's practice data")
    actions = data.add_subparsers(metavar="ACTION", required=True)
    make = _add(actions, "make", "data:make", "draw a study's practice set")
    make.add_argument("study", help=", ".join(PRACTICE_SETS))
    make.add_argument("--out", type=Path, required=True, metavar="DIR")
    make.add_argument("--images", type=_positive, metavar="N", help="how many images or patients")
    make.add_argument("--seed", type=int, default=0, metavar="K")
    make.add_argument("--dirt", metavar="FLAG,FLAG", help="what is wrong with it: see below")
    make.formatter_class = argparse.RawDescriptionHelpFormatter
    make.epilog = dirt_help()

    delete = _add(commands, "delete", "delete:delete", "delete a study and everything it kept")
    delete.add_argument("name")
    delete.add_argument("--yes", action="store_true", help="really delete it")


def _add_run_commands(commands: Commands) -> None:
    run = _add(commands, "run", "run:run", "start a study, or go on with it")
    _add_study(run)
    _add_data(run)
    run.add_argument("--workers", type=_positive, metavar="N", help="default: one per GPU, else 1")
    run.add_argument("--trials", type=_positive, metavar="N", help="the study's new total")
    _add_pins(run)
    run.add_argument("--as", dest="name", metavar="NAME", help="start it under another name")
    run.add_argument(
        "--skip-check",
        action="append",
        default=[],
        metavar="C03",
        help="go on although this rule of the data is broken; it is recorded",
    )
    _add_address(run)
    run.add_argument("--no-dashboard", action="store_true")
    run.add_argument("--detach", action="store_true", help="go on without this terminal")
    run.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)  # tells who detached it

    worker = _add(commands, "worker", "worker:worker", "one worker, for other machines")
    _add_study(worker)
    _add_data(worker)
    worker.add_argument("--id", metavar="NAME", help=argparse.SUPPRESS)
    worker.add_argument("--reason-file", type=Path, help=argparse.SUPPRESS)  # a supervisor reads it

    status = _add(commands, "status", "status:status", "what runs and what was found")
    _add_study(status, required=False)
    _add_json(status)

    stop = _add(commands, "stop", "stop:stop", "end a running study after the epoch in flight")
    _add_study(stop)
    stop.add_argument("--now", action="store_true", help="do not wait for the epoch to end")

    dashboard = _add(commands, "dashboard", "dashboard:dashboard", "the dashboard alone")
    _add_address(dashboard)
    dashboard.add_argument("--fd", type=int, help=argparse.SUPPRESS)  # a listening socket


def _add_result_commands(commands: Commands) -> None:
    export = _add(commands, "export", "export:export", "write a trial's whole configuration")
    _add_study(export)
    export.add_argument("--trial", default="best", metavar="best|N")
    export.add_argument("--out", type=Path, metavar="best.yaml", help="default: the terminal")

    retrain = _add(commands, "retrain", "retrain:retrain", "train an exported trial again")
    retrain.add_argument("export", type=Path, metavar="best.yaml")
    retrain.add_argument("--verify", action="store_true", help="exit 1 unless the numbers return")
    retrain.add_argument("--out", type=Path, metavar="DIR", help="where the weights go")
    _add_data(retrain)


def _add_machine_commands(commands: Commands) -> None:
    doctor = _add(commands, "doctor", "doctor:doctor", "is this machine ready?")
    _add_json(doctor)

    chaos = _add(commands, "chaos", "chaos:chaos", "kill, pause and cut a toy study: is all kept?")
    chaos.add_argument("--rounds", type=_positive, default=12, metavar="N", help="default: 12")
    chaos.add_argument("--seed", type=int, default=0, metavar="K")
    chaos.add_argument("--keep", action="store_true", help="keep the study's folder for a look")
    chaos.add_argument("--faults", metavar="KIND,KIND", help="these kinds only")
    chaos.add_argument(
        "--without", choices=GUARDS, metavar="GUARD", help=f"switch one off: {', '.join(GUARDS)}"
    )
    _add_json(chaos)

    database = commands.add_parser("database", help="the embedded Postgres of this folder")
    actions = database.add_subparsers(metavar="ACTION", required=True)
    _add(actions, "start", "database:start", "start it and keep it up")
    _add(actions, "stop", "database:stop", "stop it")
    _add(actions, "url", "database:url", "print its address, for other programs")


def _add(
    commands: Commands,
    name: str,
    function: str,
    help_text: str,
) -> Parser:
    parser = commands.add_parser(name, help=help_text, description=help_text)
    parser.set_defaults(command=function)
    return parser


def _add_study(parser: Parser, required: bool = True) -> None:
    parser.add_argument(
        "--study", required=required, metavar="S", help="a shipped study or a file, my_study.py"
    )


def _add_data(parser: Parser) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="default: the last run's, else data/<study>"
    )


def _add_pins(parser: Parser) -> None:
    parser.add_argument(
        "--set", dest="pins", action="append", default=[], metavar="KEY=VALUE", help="pin a value"
    )


def _add_address(parser: Parser) -> None:
    parser.add_argument("--port", type=int, metavar="P", help="default: the next free one")


def _add_json(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = math.nan
    if not 0 < hours <= MOST:
        raise argparse.ArgumentTypeError(
            f"{text!r} are no hours; give a number above 0, {MOST} at most"
        )
    return hours


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= MOST):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no whole number from 1 to {MOST}; use at least 1"
        )
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
