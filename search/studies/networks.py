"""Check that every network of a study can be built here, and from the weights of its creation."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from objectives import catalog
from objectives.contract import RecipeError
from objectives.files.digest import sha256
from objectives.recipe.network import is_noncommercial
from search.errors import MachineMismatch
from search.studies.declare import data_source
from search.studies.rules import drawable
from spaces.errors import StudyError
from spaces.stored import StoredStudy

WeightRecords = Mapping[str, Mapping[str, str]]  # "backbone weights" -> file, sha256, licence


def check_networks(stored: StoredStudy) -> dict[str, dict[str, str]]:
    """Build every network of the study, and return a record of each file of weights.

    Raises StudyError for a network or a file that cannot be had on this machine.
    """
    try:
        source = data_source(stored.study, None)
        return catalog.preflight(stored.objective, drawable(stored), source)
    except RecipeError as error:
        raise StudyError(f"{stored.study.name}: {error.found}", error.fix) from error


def check_networks_here(stored: StoredStudy) -> None:
    """Raise MachineMismatch unless every network starts from the weights it was created with.

    Fetches published weights that are missing. It builds the networks, which takes seconds, so it
    runs once on a machine that goes on with a study, and not in each of its workers.
    """
    try:
        here = check_networks(stored)
    except StudyError as error:
        raise MachineMismatch(error.found, error.fix) from error
    for network, record in stored.found.weights.items():
        found = here.get(network, {}).get("sha256", "none")
        if found != record["sha256"]:
            raise MachineMismatch(
                f"the weights of {network} are another file here than study"
                f" {stored.study.name!r} was created with"
                f" ({found[:12]}, not {record['sha256'][:12]})",
                "install the versions that it was created with, or start a new study with"
                " --as NAME",
            )


def check_weights(stored: StoredStudy) -> None:
    """Raise MachineMismatch unless the user's own files of weights are here and unchanged."""
    study = stored.study.name
    for network, record in stored.found.weights.items():
        name = network.partition(" ")[2]
        if name == "pretrained":
            continue  # published weights are for `check_networks_here`
        try:
            found = sha256(Path(name).expanduser())
        except OSError as error:
            raise MachineMismatch(
                f"the weights {name} of study {study!r} cannot be read here ({error.strerror})",
                "bring that file to the same place on this machine",
            ) from error
        if found != record["sha256"]:
            raise MachineMismatch(
                f"the file {name} differs from the one that study {study!r} was created with"
                f" ({found[:12]}, not {record['sha256'][:12]})",
                "bring the same file here, or start a new study with --as NAME",
            )


def weights_notes(weights: WeightRecords) -> Iterator[str]:
    """Yield the lines that a person should read about the files of weights."""
    yield from licence_notes(weights)
    for network, record in weights.items():
        if "reading" in record and not network.endswith(" pretrained"):
            yield f"the weights of {network} are {record['reading']}"


def licence_notes(weights: WeightRecords) -> Iterator[str]:
    """Yield a line for each file of weights whose licence forbids commercial use."""
    for network, record in weights.items():
        if is_noncommercial(record["licence"]):
            yield (
                f"the weights of {network} are licensed {record['licence']}, for non-commercial use"
                " only; allow_noncommercial=false refuses such"
            )
