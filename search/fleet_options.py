"""The options of the commands of a fleet, for every engine and for one alone."""

from argparse import ArgumentParser, BooleanOptionalAction

from search.options import (
    add_code,
    add_data,
    add_json,
    add_stored_study,
    add_workers,
    file_of,
    number_of,
    path_of,
    positive,
)

MOST_MINUTES = 1092  # Slurm holds the seconds of a warning in 16 bits
OPTIONS_LAST = (
    "An option that a later `up` leaves out keeps its value until `down`, except --workers,"
    " --print and --out. --sbatch replaces all earlier ones."
)
ENGINE_NAMES = ("ray", "slurm", "k8s")


def add_fleet_up(parser: ArgumentParser) -> None:
    """Add the options of `search fleet up`."""
    parser.epilog = OPTIONS_LAST
    add_stored_study(parser)
    add_engine(parser, "default: the engine of the last `up`")
    add_workers(parser, "default: on Ray one per GPU, or K; elsewhere needed")
    parser.add_argument(
        "--per-gpu", type=positive, metavar="K", help="workers on each GPU; default: 1"
    )
    parser.add_argument(
        "--cpu", action=BooleanOptionalAction, help="workers without a GPU; default: with one"
    )
    parser.add_argument(
        "--address", metavar="HOST:PORT", help="of Ray's head; default: RAY_ADDRESS, else auto"
    )
    add_data(parser)
    add_code(parser, "that of the last run on each node, else as the study has it")
    parser.add_argument(
        "--secrets",
        type=file_of,
        metavar="FILE",
        help="the file with SEARCH_DATABASE_URL, at this path on every node;"
        " default: SEARCH_SECRETS_FILE",
    )
    parser.add_argument(
        "--accept-versions",
        action="store_true",
        default=None,
        help="start on versions other than the study's; the study records it",
    )
    parser.add_argument(
        "--print", action="store_true", help="print the script or manifest, and submit nothing"
    )
    add_json(parser)
    _add_slurm(parser)
    _add_kubernetes(parser)


def add_fleet_status(parser: ArgumentParser) -> None:
    """Add the options of `search fleet status`."""
    add_stored_study(parser)
    add_engine(parser, "default: the engine of the last `up`")
    add_json(parser)


def add_fleet_down(parser: ArgumentParser) -> None:
    """Add the options of `search fleet down`."""
    add_stored_study(parser)
    add_engine(parser, "default: the engine of the last `up`")
    parser.add_argument("--now", action="store_true", help="kill the workers")
    add_json(parser)


def add_engine(parser: ArgumentParser, help_text: str) -> None:
    """Add `--engine`."""
    parser.add_argument("--engine", choices=ENGINE_NAMES, help=help_text)


def _add_slurm(parser: ArgumentParser) -> None:
    parser.add_argument("--partition", metavar="P", help="Slurm: default: the cluster's")
    parser.add_argument(
        "--time", metavar="H:MM:SS", help="Slurm: the time limit; default: the partition's"
    )
    parser.add_argument(
        "--warn-minutes",
        type=minutes,
        metavar="M",
        help="Slurm: a worker hands its trial back so long before the time limit; default: 5",
    )
    parser.add_argument(
        "--sbatch",
        action="append",
        metavar="OPTION",
        help="Slurm: an option of sbatch, as --sbatch=--account=lab; may be given several times",
    )


def _add_kubernetes(parser: ArgumentParser) -> None:
    parser.add_argument("--image", help="k8s: of the workers; default: search")
    parser.add_argument("--namespace", metavar="NAME", help="k8s: default: kubectl's")
    parser.add_argument(
        "--data-claim", metavar="CLAIM", help="k8s: the volume claim that has the data"
    )
    parser.add_argument(
        "--out", type=path_of, metavar="DIR", help="k8s: write the manifests, and apply nothing"
    )


def minutes(text: str) -> float:
    """Read a number of minutes, at most those that Slurm takes for a warning."""
    return number_of("minutes", text, MOST_MINUTES)
