"""The parser of the command line: every command with its options and their help."""

import argparse
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from search.errors import UsageError
from search.fleet_options import add_fleet_down, add_fleet_status, add_fleet_up
from search.options import (
    add_address,
    add_code,
    add_data,
    add_entrance,
    add_json,
    add_name,
    add_per_gpu,
    add_pins,
    add_practice,
    add_stored_study,
    add_study,
    add_versions,
    add_workers,
    file_of,
    hours,
    path_of,
    positive,
    share,
    trial_number,
)
from search.report import REASON_FILE
from spaces.errors import closest, nearest

GUARDS = ("fence", "claim", "replay")  # as in storage/faults.py, which is too heavy to import here
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
    _add_fleet_commands(commands)
    _add_machine_commands(commands)
    return parser


def _add_study_commands(commands: Commands) -> None:
    init = _add(commands, "init", "init:init", "write a study file to start from")
    init.add_argument("path", type=file_of, metavar="my_study.py", help="the file to write")
    code = init.add_mutually_exclusive_group()
    code.add_argument("--own", action="store_true", help="with training code to make your own")
    code.add_argument(
        "--script", type=file_of, metavar="train.py", help="around a script that trains already"
    )

    check = _add(
        commands, "check", "check:check", "check a study's rules and data before anything runs"
    )
    add_study(check)
    add_data(check)
    add_pins(check)
    add_name(check, "the name that it will be run under")
    check.add_argument("--rules-only", action="store_true", help="do not look at the data")
    check.add_argument(
        "--fix", action="store_true", help="write a split without the faults that a split can avoid"
    )
    check.add_argument("--no-throughput", action="store_true", help="do not measure the speed")
    add_json(check)

    parameters = _add(
        commands,
        "parameters",
        "parameters:parameters",
        "list the hyperparameters that a study may fix or search",
    )
    parameters.add_argument(
        "--objective",
        default="image_classifier",
        metavar="NAME",
        help="a shipped one, or a function of yours, train.py:train; default: image_classifier",
    )
    add_json(parameters)

    plan = _add(
        commands, "plan", "plan:plan", "measure what a study will cost on this machine's devices"
    )
    add_study(plan)
    add_data(plan)
    add_pins(plan)
    add_workers(plan)
    add_per_gpu(plan)
    plan.add_argument("--trials", type=positive, metavar="N", help="default: the study's total")
    add_name(plan, "the name that it will be run under")
    plan.add_argument(
        "--gpu-hours", type=hours, metavar="H", help="also say how many trials fit into H hours"
    )
    add_json(plan)

    data = _add_group(commands, "data", "make practice data for a study")
    make = _add(data, "make", "data:make", "draw a study's practice set")
    add_practice(make)

    delete = _add(commands, "delete", "delete:delete", "delete a study with its trials and files")
    delete.add_argument("name", help="the study")
    delete.add_argument("--yes", action="store_true", help="delete it without asking again")


def _add_run_commands(commands: Commands) -> None:
    run = _add(commands, "run", "run:run", "start a study, or go on with it")
    add_study(run)
    add_data(run)
    add_workers(run, "default: one per GPU, else 1; 0: only store the study", least=0)
    add_per_gpu(run)
    run.add_argument("--trials", type=positive, metavar="N", help="the study's new total")
    add_pins(run)
    add_name(run, "start it under another name")
    run.add_argument(
        "--promote",
        metavar="NAME",
        help="train only the best third of that stored study's trials, under these settings",
    )
    run.add_argument(
        "--skip-check",
        action="append",
        default=[],
        metavar="C03",
        help="go on although the data break this rule; the study records it",
    )
    run.add_argument(
        "--accept-code",
        action="store_true",
        help="go on although the study's own code has changed; the study records it",
    )
    add_versions(run)
    add_address(run)
    run.add_argument("--no-dashboard", action="store_true", help="do not start the dashboard")
    run.add_argument("--detach", action="store_true", help="go on without this terminal")
    run.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)  # the detaching command's

    worker = _add(
        commands,
        "worker",
        "worker:worker",
        "run one worker, or several, on this or another machine",
    )
    add_stored_study(worker)
    add_workers(worker, "keep so many at work; default: one, in this process")
    add_per_gpu(worker)
    add_data(worker)
    add_code(worker, "that of the last run, else as the study has it")
    add_versions(worker)
    worker.add_argument(
        "--check", action="store_true", help="check whether this machine can work on it, and end"
    )
    add_json(worker)
    worker.add_argument("--id", metavar="NAME", help=argparse.SUPPRESS)
    worker.add_argument("--gpu-memory", type=share, metavar="F", help=argparse.SUPPRESS)
    worker.add_argument(REASON_FILE, type=Path, help=argparse.SUPPRESS)  # a supervisor reads it

    status = _add(commands, "status", "status:status", "show trials, workers and best values")
    add_stored_study(status, required=False)
    status.add_argument("--all", action="store_true", help="all trials, not only the last 20")
    add_json(status)

    machines = _add(commands, "machines", "machines:machines", "show the machines of a study")
    add_stored_study(machines)
    add_json(machines)

    stop = _add(commands, "stop", "stop:stop", "stop a running study after the epochs in flight")
    add_stored_study(stop)
    how = stop.add_mutually_exclusive_group()
    how.add_argument("--now", action="store_true", help="do not wait for the epochs to end")
    how.add_argument("--trial", type=trial_number, metavar="N", help="end one trial, as failed")

    dashboard = _add(
        commands, "dashboard", "dashboard:dashboard", "serve the dashboard without running a study"
    )
    add_address(dashboard)
    add_entrance(dashboard)
    dashboard.add_argument("--fd", type=int, help=argparse.SUPPRESS)  # a listening socket


def _add_result_commands(commands: Commands) -> None:
    export = _add(
        commands, "export", "export:export", "write a trial's whole configuration and results"
    )
    add_stored_study(export)
    export.add_argument("--trial", default="best", metavar="best|N", help="default: best")
    export.add_argument("--out", type=file_of, metavar="best.yaml", help="default: print it")

    report = _add(
        commands, "report", "report:report", "write what a study tried and found as one page"
    )
    add_stored_study(report)
    help_text = (
        "the page, which needs nothing beside itself; a table with one row per trial (.csv) and the"
        " facts of the page (.json) are written beside it, or alone where they are named"
    )
    report.add_argument("--out", type=file_of, required=True, metavar="report.html", help=help_text)

    retrain = _add(commands, "retrain", "retrain:retrain", "train an exported trial again")
    retrain.add_argument(
        "export", type=path_of, metavar="best.yaml", help="a file that `search export` wrote"
    )
    retrain.add_argument(
        "--verify", action="store_true", help="exit with 1 unless the recorded numbers come back"
    )
    retrain.add_argument("--out", type=path_of, metavar="DIR", help="the folder for the weights")
    add_data(retrain)
    add_code(retrain, "as the export has it")


def _add_fleet_commands(commands: Commands) -> None:
    fleet = _add_group(commands, "fleet", "keep a study's workers alive on a cluster")
    add_fleet_up(_add(fleet, "up", "fleet:up", "start its workers, or change their number"))
    add_fleet_status(_add(fleet, "status", "fleet:status", "show each worker of it"))
    add_fleet_down(_add(fleet, "down", "fleet:down", "end its workers after the epochs in flight"))


def _add_machine_commands(commands: Commands) -> None:
    doctor = _add(
        commands, "doctor", "doctor:doctor", "check that this machine is ready for a search"
    )
    add_workers(
        doctor, "on all machines, for a server of SEARCH_DATABASE_URL; default: those of this one"
    )
    add_json(doctor)

    chaos = _add(
        commands,
        "chaos",
        "chaos:chaos",
        "kill, pause and cut off the workers of a toy study; check that nothing is lost",
    )
    chaos.add_argument("--rounds", type=positive, default=12, metavar="N", help="default: 12")
    chaos.add_argument("--seed", type=int, default=0, metavar="K", help="default: 0")
    chaos.add_argument("--script", action="store_true", help="the study trains with a script")
    chaos.add_argument("--keep", action="store_true", help="keep the study's folder")
    chaos.add_argument("--faults", metavar="KIND,KIND", help="only these kinds of faults")
    chaos.add_argument(
        "--without",
        choices=GUARDS,
        metavar="GUARD",
        help=f"switch one protection off: {', '.join(GUARDS)}",
    )
    add_json(chaos)

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
