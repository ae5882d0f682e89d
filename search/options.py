"""The options that several commands share, and the values that they accept."""

import math
import re
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from pathlib import Path

from objectives.practice.flags import SETS as PRACTICE_SETS
from objectives.practice.flags import dirt_help

MOST = 1_000_000  # trials, images or workers; a larger number is a typing error


def add_study(parser: ArgumentParser) -> None:
    """Add `--study`, a study that may be new."""
    help_text = "a shipped study, a stored one, or a file such as my_study.py"
    parser.add_argument("--study", required=True, metavar="S", help=help_text)


def add_stored_study(parser: ArgumentParser, required: bool = True) -> None:
    """Add `--study`, a study that the database holds."""
    help_text = "a stored study, by its name or its file; `search status` lists them"
    parser.add_argument("--study", required=required, metavar="S", help=help_text)


def add_data(parser: ArgumentParser) -> None:
    """Add `--data`, the folder of the data."""
    help_text = "the data's folder; default: that of the last run, else data/<study>"
    parser.add_argument("--data", type=path_of, metavar="DIR", help=help_text)


def add_code(parser: ArgumentParser, default: str) -> None:
    """Add `--code`, the folder of the study's own code; `default` says where it is otherwise."""
    help_text = f"the folder of the study's own code; default: {default}"
    parser.add_argument("--code", type=path_of, metavar="DIR", help=help_text)


def add_versions(parser: ArgumentParser) -> None:
    """Add `--accept-versions`."""
    parser.add_argument(
        "--accept-versions",
        action="store_true",
        help="go on although versions here are not those of the study's creation; it records them",
    )


def add_pins(parser: ArgumentParser) -> None:
    """Add `--set`, the hyperparameters that are fixed; they arrive as `pins`."""
    parser.add_argument(
        "--set",
        dest="pins",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="fix a hyperparameter at a value; may be given several times",
    )


def add_name(parser: ArgumentParser, help_text: str) -> None:
    """Add `--as`, the name of the study; it arrives as `name`."""
    parser.add_argument("--as", dest="name", metavar="NAME", help=help_text)


def add_workers(
    parser: ArgumentParser, help_text: str = "default: one per GPU, else 1", least: int = 1
) -> None:
    """Add `--workers`, their number."""
    kind = positive if least else not_negative
    parser.add_argument("--workers", type=kind, metavar="N", help=help_text)


def add_per_gpu(parser: ArgumentParser) -> None:
    """Add `--per-gpu`, how many workers share a GPU."""
    help_text = "workers per GPU; without --workers there are so many on each"
    parser.add_argument("--per-gpu", type=positive, metavar="K", help=help_text)


def add_practice(parser: ArgumentParser) -> None:
    """Add the options of a practice set, with its faults in the help."""
    parser.add_argument("study", help=", ".join(PRACTICE_SETS))
    parser.add_argument(
        "--out", type=path_of, required=True, metavar="DIR", help="the folder to fill"
    )
    parser.add_argument("--images", type=positive, metavar="N", help="number of images or patients")
    parser.add_argument("--seed", type=int, default=0, metavar="K", help="default: 0")
    parser.add_argument(
        "--dirt", metavar="FLAG,FLAG", help="the faults of real data to add, see below"
    )
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = dirt_help()


def add_address(parser: ArgumentParser) -> None:
    """Add `--port`, the port of the dashboard."""
    help_text = "the dashboard's port; default: the next free one from 8080 on"
    parser.add_argument("--port", type=int, metavar="P", help=help_text)


def add_entrance(parser: ArgumentParser) -> None:
    """Add the options that open the dashboard to others."""
    parser.add_argument(
        "--host",
        type=host_name,
        metavar="ADDRESS",
        help="listen on this address, 0.0.0.0 for all; default: 127.0.0.1",
    )
    parser.add_argument(
        "--token-file", type=file_of, metavar="FILE", help="ask everybody for a token of this file"
    )
    parser.add_argument(
        "--new-token-file", type=file_of, metavar="FILE", help="write such a file, and end"
    )
    parser.add_argument(
        "--certfile", type=file_of, metavar="FILE", help="the certificate for TLS, as PEM"
    )
    parser.add_argument("--keyfile", type=file_of, metavar="FILE", help="its key, as PEM")
    parser.add_argument(
        "--behind-proxy",
        nargs="?",
        const="127.0.0.1",
        metavar="ADDRESS",
        help="answer only the proxy at this address, which does TLS; default: 127.0.0.1",
    )
    parser.add_argument(
        "--allow-host",
        type=host_name,
        action="append",
        default=[],
        metavar="NAME",
        help="answer under this host name too; may be given several times",
    )


def add_json(parser: ArgumentParser) -> None:
    """Add `--json`, for programs."""
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def path_of(text: str) -> Path:
    """Read a path that is not empty."""
    if not text:  # Path("") is the current folder
        raise ArgumentTypeError("the path is empty; name one")
    return Path(text)


def file_of(text: str) -> Path:
    """Read the path of a file; it may be new."""
    if text.endswith("/"):
        raise ArgumentTypeError(f"{text!r} names a folder; name a file in it")
    return path_of(text)


def host_name(text: str) -> str:
    """Read the name or the address of a machine."""
    if not re.fullmatch(r"[A-Za-z0-9._:\[\]-]+", text):
        raise ArgumentTypeError(f"{text!r} is no name of a machine; give it without http:// and /")
    return text


def hours(text: str) -> float:
    """Read a number of hours."""
    return number_of("hours", text, MOST)


def number_of(unit: str, text: str, most: int) -> float:
    """Read a number above 0.

    unit: its unit in messages, such as "hours".
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= most:
        raise ArgumentTypeError(
            f"{text!r} is not a number of {unit}; give one above 0 and at most {most}"
        )
    return number


def positive(text: str) -> int:
    """Read a whole number from 1 on."""
    return _whole(text, 1)


def not_negative(text: str) -> int:
    """Read a whole number from 0 on."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= MOST):
        found = f"{text!r} is not a whole number from {least} to {MOST}"
        raise ArgumentTypeError(f"{found}; use at least {least}")
    return int(text)


def share(text: str) -> float:
    """Read a share of a whole, up to 1."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= 1:
        raise ArgumentTypeError(f"{text!r} is not a share of a whole; give one above 0, up to 1")
    return number


def trial_number(text: str) -> int:
    """Return a trial's number."""
    if not (text.isascii() and text.isdigit() and int(text) <= MOST):
        raise ArgumentTypeError(f"{text!r} is not the number of a trial; use one from 0 on")
    return int(text)
