"""The manifests of a fleet: a kustomize base with a job, its budget, a claim and a secret."""

import json
import re
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined

from search.errors import UsageError
from search.fleet.engine import Order

ARTIFACTS = "SEARCH_ARTIFACTS"
BASE = "kustomization.yaml"
SECRETS = "secrets"  # the file beside the base that the user puts there
LONGEST_STEM = 40  # with mark and index the name of a pod's host has 63 characters at most
GRACE_SECONDS = 900  # as docker-compose.yml; the longest epoch must fit
PLACES = {  # of the image's Dockerfile and of the mounts in job.yaml
    "HOME": "/home/search",
    "SEARCH_HOME": "/home/search/.search",
    "SEARCH_SECRETS_FILE": "/run/search/secrets",
}


def render_manifests(order: Order) -> dict[str, str]:
    """Return the text of each file by its name; UsageError for an order that a pod cannot follow.

    None holds a secret: `secretGenerator` reads the user's own file.
    """
    _check(order)
    environment = _environment()
    words = _words(order)
    names = [BASE, "job.yaml", "disruption-budget.yaml"]
    names += ["artifacts.yaml"] if words["claims_artifacts"] else []
    return {
        name: environment.get_template(f"kubernetes/{name}.txt").render(words) for name in names
    }


def job_name(job: str) -> str:
    """Return a fleet's name as Kubernetes takes it: short, and with no underscore."""
    stem, _, mark = job.rpartition("-")
    return f"{stem[:LONGEST_STEM].replace('_', '-').rstrip('-')}-{mark}"


def pod_count(order: Order) -> int:
    """Return the number of pods that hold the order's workers, `per_gpu` of them each."""
    if order.workers is None:
        raise UsageError(
            "the number of workers is open, and Kubernetes does not say how many GPUs are yours",
            "give it with --workers N",
        )
    if order.workers % order.per_gpu:
        raise UsageError(
            f"{order.workers} workers do not fill pods of {order.per_gpu}",
            f"make --workers a multiple of {order.per_gpu}",
        )
    return order.workers // order.per_gpu


def _check(order: Order) -> None:
    if order.data or order.code:
        raise UsageError(
            "a pod does not see the folders of this machine",
            "name a claim that has the data with --data-claim; it gets the code from the study",
        )
    for option in ("namespace", "data_claim"):
        name = order.options[option]
        if name and not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name):
            raise UsageError(
                f"{name!r} is no name in Kubernetes", "use a-z, 0-9 and - for a namespace or claim"
            )


def _words(order: Order) -> Mapping[str, object]:
    pods, options = pod_count(order), order.options
    place = f"GPU, with {order.per_gpu} workers" if order.per_gpu > 1 else "worker"
    shared = order.environment.get(ARTIFACTS, "").startswith("s3://")
    artifacts = {} if shared else {ARTIFACTS: "/artifacts"}
    return {
        "study": order.study,
        "name": job_name(order.job),
        "namespace": options["namespace"],
        "place": place,
        "pods": pods,
        "image": options["image"],
        "uses_gpu": order.uses_gpu,
        "grace_seconds": GRACE_SECONDS,
        "words": _worker_words(order),
        "environment": sorted({**order.environment, **artifacts, **PLACES}.items()),
        "claims_artifacts": not shared,
        "data_claim": options["data_claim"],
    }


def _worker_words(order: Order) -> list[str]:
    return [
        "worker",
        "--study",
        order.study,
        *(["--workers", str(order.per_gpu)] if order.per_gpu > 1 else []),
        *(["--data", "/data"] if order.options["data_claim"] else []),
        *(["--accept-versions"] if order.accepts_versions else []),
    ]


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("search", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["json"] = json.dumps  # YAML reads JSON's strings and lists
    return environment
