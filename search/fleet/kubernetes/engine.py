"""Kubernetes as the engine of a fleet: manifests for kubectl, which is called where it exists."""

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from objectives.files.whole import write_text_whole, write_whole
from search.fleet.engine import Fleet, Order, Slot, State, Tell, secrets_of
from search.fleet.kubernetes.kubectl import kubectl, pods_of, slots
from search.fleet.kubernetes.manifests import SECRETS, job_name, render_manifests
from search.settings import Settings

NAMESPACE = "namespace"  # the key of a fleet's details
KINDS = "job,poddisruptionbudget,secret"  # of a fleet, without the claim of its artifacts


class KubernetesEngine:
    """An Indexed Job, by the label that all objects of a fleet have."""

    def render(self, order: Order) -> str:
        """Return the files one after another, or write them into the folder of `--out`."""
        files, out = render_manifests(order), order.out
        if out is None:
            return "---\n".join(f"# {name}\n{text}" for name, text in files.items()).rstrip()
        _write(out, files)
        return (
            f"wrote {', '.join(sorted(files))} into {out}\n"
            f"next: install -m 600 FILE {out / SECRETS}, with your file of secrets\n"
            f"then: kubectl apply -k {out}"
        )

    def up(self, order: Order, tell: Tell) -> Fleet:
        """Apply the manifests, which lie in the study's folder, with the file of secrets.

        Its copy beside them is removed, but for another machine where this one has no kubectl.
        """
        secrets = secrets_of(order)
        folder = Settings(home=order.home).study_folder(order.study) / "kubernetes"
        _write(folder, render_manifests(order))
        write_whole(folder / SECRETS, partial(_copy_secrets, secrets))
        namespace = order.options["namespace"]
        try:
            tell(" ".join(kubectl(["apply", "-k", str(folder)], namespace).split("\n")).strip())
        finally:
            if shutil.which("kubectl"):
                (folder / SECRETS).unlink()
        return Fleet(
            engine="k8s",
            study=order.study,
            job=job_name(order.job),
            workers=order.workers or 0,
            details={NAMESPACE: namespace},
        )

    def status(self, fleet: Fleet) -> Sequence[Slot]:
        """Return a place per index of the job."""
        return slots(pods_of(job_name(fleet.job), fleet.details.get(NAMESPACE)))

    def down(self, fleet: Fleet, tell: Tell, *, now: bool) -> Sequence[Slot]:
        """Delete the job, and wait for its pods, which get SIGTERM; `now` kills them."""
        name, namespace = job_name(fleet.job), fleet.details.get(NAMESPACE)
        of_fleet = f"--selector=app.kubernetes.io/instance={name}"
        killed: Sequence[Slot] = []
        if now:
            killed = [slot for slot in self.status(fleet) if slot.state is State.UP]
            kubectl(["delete", "job", name, "--cascade=orphan", "--ignore-not-found"], namespace)
            kubectl(["delete", "pods", of_fleet, "--grace-period=1"], namespace)
        kubectl(["delete", KINDS, of_fleet, "--cascade=foreground", "--wait"], namespace)
        tell(f"kept files stay in SEARCH_ARTIFACTS, else in the claim {name}-artifacts")
        return killed


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files, and a note that keeps the user's secrets beside them out of a repository."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_text_whole(folder / name, text)
    write_text_whole(folder / ".gitignore", f"{SECRETS}\n")


def _copy_secrets(file: Path, copy: Path) -> None:
    copy.touch(mode=0o600)
    shutil.copyfile(file, copy)
