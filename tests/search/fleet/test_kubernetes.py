"""The manifests of a fleet, held against the API's schemas, and the pods that kubectl lists."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from search.errors import UsageError
from search.fleet.engine import Fleet, Order, Slot, State
from search.fleet.kubernetes.engine import KubernetesEngine
from search.fleet.kubernetes.kubectl import INDEX, pods_of, slots
from search.fleet.kubernetes.manifests import job_name, render_manifests
from search.parser import build_parser
from spaces.exits import DONE, DRAINED, KILLED, LASTING

OPTIONS = {"image": "lab/search:0.1.0", "namespace": None, "data_claim": "gleason"}
VERSIONS = ["1.29", "1.31", "1.33", "1.35", "1.37"]  # backoffLimitPerIndex is on from 1.29


def order(**changes: Any) -> Order:
    given = {
        "study": "my_study",
        "job": "my_study-1a2b3c4d",
        "home": Path("/home/me/.search"),
        "workers": 4,
        "environment": {"SEARCH_LEASE_SECONDS": "30"},
        "options": OPTIONS,
    }
    return Order(**given | changes)


def objects(**changes: Any) -> dict[str, dict[str, Any]]:
    return {name: yaml.safe_load(text) for name, text in render_manifests(order(**changes)).items()}


def pod_spec(**changes: Any) -> dict[str, Any]:
    spec: dict[str, Any] = objects(**changes)["job.yaml"]["spec"]["template"]["spec"]
    return spec


ORDERS = {
    "usual": {},
    "bare": {"uses_gpu": False, "workers": 1, "options": OPTIONS | {"data_claim": None}},
    "crews on s3": {"per_gpu": 2, "environment": {"SEARCH_ARTIFACTS": "s3://lab/bone 🦴 scans"}},
    "namespace": {"options": OPTIONS | {"namespace": "lab"}, "accepts_versions": True},
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("changes", ORDERS.values(), ids=list(ORDERS))
def test_every_object_is_valid_in_the_api(changes: dict[str, Any], version: str) -> None:
    for name, found in objects(**changes).items():
        if name != "kustomization.yaml":
            kubernetes_validate.validate(found, version, strict=True)


def test_the_address_of_a_bucket_reaches_the_pods_letter_by_letter() -> None:
    (container,) = pod_spec(**ORDERS["crews on s3"])["containers"]

    given = {each["name"]: each["value"] for each in container["env"]}
    assert given["SEARCH_ARTIFACTS"] == "s3://lab/bone 🦴 scans"


@pytest.mark.parametrize("changes", ORDERS.values(), ids=list(ORDERS))
def test_the_base_names_every_file_and_no_other(changes: dict[str, Any]) -> None:
    files = objects(**changes)

    assert {"kustomization.yaml", *files["kustomization.yaml"]["resources"]} == set(files)


@pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl, which has kustomize")
def test_kubectl_builds_the_base_with_the_users_secrets(tmp_path: Path) -> None:
    out = tmp_path / "base"
    KubernetesEngine().render(order(out=out))
    words = ["kubectl", "kustomize", str(out)]
    without = subprocess.run(words, capture_output=True, text=True, check=False)
    (out / "secrets").write_text("SEARCH_DATABASE_URL=postgresql://me@db/x\n")
    built = subprocess.run(words, capture_output=True, text=True, check=True)

    assert "secrets" in without.stderr  # no worker starts without them
    found = {each["kind"]: each for each in yaml.safe_load_all(built.stdout)}
    assert set(found) == {"Job", "PodDisruptionBudget", "PersistentVolumeClaim", "Secret"}
    for each in found.values():
        kubernetes_validate.validate(each, VERSIONS[-1], strict=True)
    mounted = found["Job"]["spec"]["template"]["spec"]["volumes"][0]["secret"]
    assert mounted == {"secretName": found["Secret"]["metadata"]["name"], "defaultMode": 0o440}


def test_the_files_hold_no_secret_and_keep_the_users_out_of_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCH_DATABASE_URL", "postgresql://me:hunter2@db/search")
    KubernetesEngine().render(order(out=tmp_path))

    assert (tmp_path / ".gitignore").read_text() == "secrets\n"
    assert not any("hunter2" in file.read_text() for file in tmp_path.iterdir())


def test_each_exit_code_of_a_worker_leads_to_what_it_asks_for() -> None:
    job = objects()["job.yaml"]["spec"]
    rules = [
        (rule["action"], set(rule["onExitCodes"]["values"]))
        for rule in job["podFailurePolicy"]["rules"]
        if "onExitCodes" in rule
    ]

    assert rules == [("FailIndex", set(LASTING)), ("Ignore", {DRAINED, KILLED})]
    assert DONE not in {code for _, codes in rules for code in codes}
    assert job["backoffLimitPerIndex"] > 0  # crashes, and GPUs that are lost


def test_a_pod_runs_a_command_that_exists_in_places_that_it_may_write() -> None:
    spec = pod_spec(per_gpu=2)
    (worker,) = spec["containers"]
    arguments = build_parser().parse_args(worker["args"])
    places = {each["name"]: each.get("value") for each in worker["env"]}
    mounts = {mount["mountPath"]: mount for mount in worker["volumeMounts"]}

    assert (arguments.study, arguments.workers, str(arguments.data)) == ("my_study", 2, "/data")
    for name in ("SEARCH_HOME", "SEARCH_ARTIFACTS"):
        assert not mounts[places[name]].get("readOnly")
    assert places["SEARCH_SECRETS_FILE"] == "/run/search/secrets"
    assert mounts["/data"]["readOnly"]
    assert {mount["name"] for mount in mounts.values()} == {
        each["name"] for each in spec["volumes"]
    }


def test_the_user_of_a_pod_is_the_images() -> None:
    dockerfile = (Path(__file__).parents[3] / "Dockerfile").read_text()

    context = pod_spec()["securityContext"]
    assert f"USER {context['runAsUser']}:{context['runAsGroup']}" in dockerfile
    assert context["runAsNonRoot"]


@pytest.mark.parametrize("study", ["toy", "my_study", "a" * 63, "a" * 39 + "_b-practice"])
def test_the_name_of_a_fleet_is_a_host_name(study: str) -> None:
    name = job_name(f"{study}-1a2b3c4d")

    assert len(f"{name}-9999") <= 63
    assert "_" not in name
    assert "--" not in name
    assert job_name(name) == name


@pytest.mark.parametrize(
    ("changes", "fix"),
    [
        ({"workers": None}, "--workers N"),
        ({"workers": 3, "per_gpu": 2}, "a multiple of 2"),
        ({"data": Path("/data")}, "--data-claim"),
        ({"options": OPTIONS | {"namespace": "Lab"}}, "use a-z"),
    ],
)
def test_an_order_that_pods_cannot_follow_is_refused_with_the_fix(
    changes: dict[str, Any], fix: str
) -> None:
    with pytest.raises(UsageError, match=fix):
        KubernetesEngine().render(order(**changes))


def test_without_kubectl_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    fleet = Fleet(engine="k8s", study="toy", job="toy-1", workers=1, details={"namespace": "lab"})

    status = "type: kubectl --namespace=lab get pods --selector=job-name=toy-1"
    with pytest.raises(UsageError, match=status):
        KubernetesEngine().status(fleet)
    with pytest.raises(UsageError, match="type: kubectl --namespace=lab delete job,"):
        KubernetesEngine().down(fleet, str, now=False)


def test_a_cluster_that_does_not_answer_is_told_in_kubectls_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = 'E1129 16:07:45.281243   29454 memcache.go:265] "Unhandled Error" err="refused"'
    program = tmp_path / "kubectl"
    program.write_text(f"#!/bin/sh\necho '{log}' >&2\necho 'was refused' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")

    with pytest.raises(UsageError) as error:
        pods_of("toy-1", None)
    assert error.value.found.endswith("--output=json` says: was refused")


def pod(index: int, minute: int, status: dict[str, Any], **metadata: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"toy-1-{index}-x{minute}",
            "annotations": {INDEX: str(index)},
            "creationTimestamp": f"2027-01-01T00:{minute:02}:00Z",
            **metadata,
        },
        "spec": {"hostname": f"toy-1-{index}", "nodeName": "gpu-7", "containers": [{"name": "w"}]},
        "status": status,
    }


def ended(code: int, message: str) -> dict[str, Any]:
    terminated = {"exitCode": code, "message": message}
    container = {
        "name": "w",
        "image": "search",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": terminated},
    }
    return {"phase": "Failed", "containerStatuses": [container]}


def test_the_newest_pod_of_an_index_is_its_place() -> None:
    unplaced = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}
    pods = [
        pod(1, 0, {"phase": "Pending", "conditions": [unplaced]}),
        pod(0, 5, {"phase": "Running"}),
        pod(0, 1, ended(75, "")),
        pod(2, 2, ended(4, "loading\nsearch: other data; bring the same\n")),
        pod(3, 3, {"phase": "Running"}, deletionTimestamp="2027-01-01T00:09:00Z"),
    ]
    for each in pods:
        kubernetes_validate.validate(each, VERSIONS[-1], strict=True)

    assert slots(pods) == [
        Slot(name="toy-1-0", state=State.UP, node="gpu-7", restarts=1),
        Slot(
            name="toy-1-1", state=State.QUEUED, node="gpu-7", restarts=0,
            reason="0/3 nodes are available",
        ),
        Slot(
            name="toy-1-2", state=State.REFUSED, node="gpu-7", restarts=0,
            reason="search: other data; bring the same",
        ),
        Slot(name="toy-1-3", state=State.DRAINING, node="gpu-7", restarts=0),
    ]  # fmt: skip
