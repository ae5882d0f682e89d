"""The manifests of a fleet: a kustomize base with a job, its budget, a claim and a secret."""

import json
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from search.errors import UsageError
from search.fleet.engine import Order
from search.fleet.rendering import ARTIFACTS, crew_count, crew_words, template

BASE = "kustomization.yaml"
SECRETS = "secrets"  # the file beside the base that the user puts there
LONGEST_STEM = 40  # with mark and index the name of a pod's host has 63 characters at most
GRACE_SECONDS = 900  # as docker-compose.yml; the longest epoch must fit
DATA = Path("/data")
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
    words = _words(order)
    names = [BASE, "job.yaml", "disruption-budget.yaml"]
    names += ["artifacts.yaml"] if words["claims_artifacts"] else []
    # YAML reads JSON's strings and lists, but not the two halves in which JSON escapes an emoji.
    filters = {"json": partial(json.dumps, ensure_ascii=False)}
    return {name: template(f"kubernetes/{name}.txt", filters).render(words) for name in names}


def job_name(job: str) -> str:
    """Return a fleet's name as Kubernetes takes it: short, and with no underscore."""
    stem, _, mark = job.rpartition("-")
    return f"{stem[:LONGEST_STEM].replace('_', '-').rstrip('-')}-{mark}"


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
    pods, options = crew_count(order, "Kubernetes", "pods"), order.options
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
        "words": crew_words(order, DATA if options["data_claim"] else None),
        "environment": sorted({**order.environment, **artifacts, **PLACES}.items()),
        "claims_artifacts": not shared,
        "data_claim": options["data_claim"],
    }
