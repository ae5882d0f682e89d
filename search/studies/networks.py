"""The networks of a study: whether each can be built here, and from which weights it starts."""

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
from spaces.study import Study


def check_networks(study: Study) -> dict[str, dict[str, str]]:
    """Give what is known of each file of weights, once every network is built and takes its images.

    Raises StudyError for what cannot be had on this machine.
    """
    try:
        return catalog.preflight(study.objective, drawable(study), data_source(study, None))
    except RecipeError as error:
        raise StudyError(f"{study.name}: {error}") from error


def check_networks_here(study: Study) -> None:
    """Raise MachineMismatch unless every network starts on this machine as where it was created.

    Fetches published weights that are missing. Takes seconds, since it builds the networks: it is
    asked once on a machine that goes on with a study, and not by each of its workers.
    """
    try:
        here = check_networks(study)
    except StudyError as error:
        raise MachineMismatch(str(error)) from error
    for network, record in study.weights.items():
        found = here.get(network, {}).get("sha256", "none")
        if found != record["sha256"]:
            raise MachineMismatch(
                f"the weights of {network} are here another file than study {study.name!r} was"
                f" created with ({found[:12]}, not {record['sha256'][:12]}); install the versions"
                " that it was created with, or start a new study with --as NAME"
            )


def check_weights(study: Study) -> None:
    """Raise MachineMismatch unless the study's own files of weights are here and the same ones."""
    for network, record in study.weights.items():
        name = network.partition(" ")[2]
        if name == "pretrained":
            continue  # see `check_networks_here`
        try:
            found = sha256(Path(name).expanduser())
        except OSError as error:
            raise MachineMismatch(
                f"the weights {name} of study {study.name!r} cannot be read here"
                f" ({error.strerror}); bring that file to the same place on this machine"
            ) from error
        if found != record["sha256"]:
            raise MachineMismatch(
                f"the file {name} is not what study {study.name!r} was created with"
                f" ({found[:12]}, not {record['sha256'][:12]}); bring the same file here, or start"
                " a new study with --as NAME"
            )


def licence_notes(weights: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yield a line for each file of weights that may not be used for everything."""
    for network, record in weights.items():
        if is_noncommercial(record["licence"]):
            yield (
                f"the weights of {network} are licensed {record['licence']}, for non-commercial use"
                " only; allow_noncommercial=false refuses such"
            )
