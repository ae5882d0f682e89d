"""Calls of kubectl, and the pods that it lists."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from objectives.script.environment import without_secrets
from search.errors import UsageError
from search.fleet.engine import Slot, State
from spaces.exits import LASTING

INDEX = "batch.kubernetes.io/job-completion-index"
LOG_LINE = re.compile(r"^[EW]\d{4} \d\d:\d\d:\d\d.*$", re.MULTILINE)  # such as E1129 16:07:45.28
PHASES = {"Pending": State.QUEUED, "Running": State.UP, "Succeeded": State.DONE}


def kubectl(words: Sequence[str], namespace: str | None) -> str:
    """Return the output of a command of kubectl; UsageError with the command, or its own words."""
    where = [f"--namespace={namespace}"] if namespace else []
    command = ["kubectl", *where, *words]
    # A plugin of kubectl's would take keys that the file of secrets has for a bucket.
    environment = without_secrets(os.environ)
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
    except FileNotFoundError:
        raise UsageError(
            "this machine has no kubectl", f"where there is one, type: {shlex.join(command)}"
        ) from None
    if done.returncode:
        said = _said(done.stderr) or f"exit code {done.returncode}"
        raise UsageError(
            f"`{shlex.join(command)}` says: {said}",
            "mend that (`kubectl cluster-info` must answer), and repeat the command of search",
        )
    return done.stdout


def _said(errors: str) -> str:
    """Return kubectl's own lines as one, without the log of its libraries."""
    return " ".join(LOG_LINE.sub("", errors).split())


def slots(pods: Sequence[Mapping[str, Any]]) -> list[Slot]:
    """Return a place per index of a job from its pods as JSON: the newest one of each."""
    places: dict[int, list[Mapping[str, Any]]] = {}
    for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"])):
        index = int(pod["metadata"].get("annotations", {}).get(INDEX, 0))
        places.setdefault(index, []).append(pod)
    return [_slot(those[-1], len(those) - 1) for _, those in sorted(places.items())]


def pods_of(name: str, namespace: str | None) -> list[Mapping[str, Any]]:
    """Return the pods of a job as JSON has them."""
    words = ["get", "pods", f"--selector=job-name={name}", "--output=json"]
    listed: list[Mapping[str, Any]] = json.loads(kubectl(words, namespace))["items"]
    return listed


def _slot(pod: Mapping[str, Any], restarts: int) -> Slot:
    spec, status = pod["spec"], pod.get("status", {})
    ended = _ended(status)
    return Slot(
        name=spec.get("hostname") or pod["metadata"]["name"],  # the worker's host as it sees it
        state=_state(pod, ended),
        node=spec.get("nodeName", ""),
        restarts=restarts,
        reason=_reason(status, ended),
    )


def _ended(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return how the worker's container ended; empty while it runs or waits."""
    for container in status.get("containerStatuses", ()):
        terminated: Mapping[str, Any] = container.get("state", {}).get("terminated") or {}
        return terminated
    return {}


def _state(pod: Mapping[str, Any], ended: Mapping[str, Any]) -> State:
    code = ended.get("exitCode")
    if code in LASTING:
        return State.REFUSED
    if pod["metadata"].get("deletionTimestamp"):
        return State.DRAINING
    return PHASES.get(pod.get("status", {}).get("phase"), State.RESTARTING)


def _reason(status: Mapping[str, Any], ended: Mapping[str, Any]) -> str:
    """Return the worker's last line, else why the pod waits, in Kubernetes' words."""
    if ended.get("exitCode"):
        lines = str(ended.get("message") or ended.get("reason") or "").strip().splitlines()
        return lines[-1] if lines else f"exit code {ended['exitCode']}"
    waiting = [
        str(condition.get("message", ""))
        for condition in status.get("conditions", ())
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False"
    ]
    return waiting[0] if waiting else ""
