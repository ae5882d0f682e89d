"""Studies in every state that a page shows, made by the calls of workers and without training."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import text

from spaces.found import Found
from spaces.params import Choice, Float, Int, Toggle
from spaces.priors import Prior
from spaces.stored import StoredStudy, fingerprint, to_json
from spaces.study import Study
from storage.artifacts import artifact_store, keep
from storage.rows import HandBackReason
from storage.store import Claim, Store
from storage.transaction import transaction
from tests.dashboards.browser.results import metrics, tables
from tests.storage.samples import ended, finished, new_study, new_worker

SPACE = [
    Choice("backbone", {"resnet50": 8, "resnet34": 2}),
    Float("learning_rate", 1e-5, 1e-2, log=True, prior=Prior(1e-4, "medium")),
    Choice("batch_size", (32, 64, 128)),
    Int("epochs", 5, 20),
    Toggle("ldam", prior=0.3),
    Float("ldam_max_margin", 0.1, 0.8, when={"ldam": True}),
]
CREW = ("ada", "grace", "mary", "joan")
MACHINE = {"device_class": "cuda: NVIDIA RTX A5000"}
LEASE_SECONDS = 3600.0  # no lease ends while a browser looks
ENDS = ("finished", "finished", "pruned", "finished", "finished", "diverged", "pruned", "finished")
READINGS = {
    "gpu_name": "NVIDIA RTX A5000",
    "gpu_percent": 96,
    "gpu_celsius": 71,
    "gpu_used_bytes": 18.2 * 2**30,
    "gpu_total_bytes": 24 * 2**30,
}
EARLIER = """
UPDATE trials SET datetime_start = datetime_start - :far * interval '1 second',
                  datetime_complete = datetime_complete - :far * interval '1 second'
 WHERE trial_id = :trial;
UPDATE search_service.attempts SET started_at = started_at - :far * interval '1 second',
       beat_at = beat_at - :far * interval '1 second',
       ended_at = ended_at - :near * interval '1 second'
 WHERE trial_id = :trial AND ended_at IS NOT NULL;
UPDATE search_service.epochs SET recorded_at = recorded_at - :near * interval '1 second'
 WHERE trial_id = :trial"""
BEGUN = """
UPDATE search_service.studies SET created_at = created_at - :far * interval '1 second'
 WHERE study_id = :study;
UPDATE search_service.workers SET started_at = started_at - :far * interval '1 second'
 WHERE study_id = :study"""


class Scene:
    """One study, changed as its workers would.

    artifacts: the location of the artifact store.
    changes: of the study's declaration.
    """

    def __init__(
        self,
        store: Store,
        artifacts: Path,
        name: str,
        is_practice: bool = False,
        **changes: Any,
    ) -> None:
        declared: dict[str, Any] = {
            "name": name,
            "about": "Does depth help, and which balancing: LDAM or a weighted sampler?",
            "objective": "image_classifier",
            "metric": "val_loss",
            "direction": "minimize",
            "trials": 40,
            "fixed": {"image_size": 224},
            "space": SPACE,
        }
        self.store, self.name, self._artifacts = store, name, artifacts
        self.study = Study(**declared | changes)
        self._random = Random(name)
        stored = StoredStudy(self.study, Found(is_practice=is_practice))
        given = {"fingerprint": fingerprint(stored), "trials": self.study.trials}
        row = store.create(new_study(name, definition=to_json(stored), **given))
        self.study_id = row.study_id

    def hire(self, *names: str) -> None:
        """Register workers, on the GPUs of one host; `ada` is on the first one."""
        for name in names:
            machine = {**MACHINE, "gpu": str(CREW.index(name))}
            worker = new_worker(self.worker(name), host="lab-ws1", device="cuda", machine=machine)
            self.store.register_worker(self.name, worker)

    def worker(self, name: str) -> str:
        """Return the whole name of a worker; no two studies of a database share one."""
        return f"lab-ws1-{1 + CREW.index(name)}-{self.study_id:06x}"

    def begin(
        self, worker: str = "ada", epochs: int = 0, lease_seconds: float = LEASE_SECONDS
    ) -> Claim:
        """Claim a trial, or the one that its worker lost, and record so many epochs of it."""
        name = self.worker(worker)
        claim = self.store.claim(self.name, name, lease_seconds=lease_seconds)
        assert isinstance(claim, Claim)
        if claim.attempt == 1:
            with self.store.trial(claim) as trial:
                self.study.space.suggest(trial)
        self.train(claim, epochs)
        self.store.beat(claim, READINGS)
        return claim

    def planned(self, claim: Claim) -> int:
        """Return the length of a trial's schedule in epochs."""
        (row,) = self.store.trials_of(self.name, [claim.number])
        return int(row.params["epochs"])

    def train(self, claim: Claim, epochs: int, since: int = 0) -> float:
        """Record epochs; return the value of the last one."""
        floor = 0.3 + 0.2 * Random(f"{self.name} {claim.number}").random()
        value = math.inf
        for epoch in range(since + 1, since + epochs + 1):
            value = floor + 0.9 * math.exp(-epoch / 4) + 0.01 * self._random.random()
            self.store.record(claim, epoch, metrics(value), value, seconds=58.0, images=23_000)
        return value

    def end(self, how: str, worker: str = "ada", value: float | None = None) -> Claim:
        """Begin a trial and end it that way.

        value: of a finished one; None for that of its last epoch.
        """
        claim = self.begin(worker)
        epochs = self.planned(claim)
        last = self.train(claim, epochs if how == "finished" else min(epochs // 2, 4))
        if how == "finished":
            self.finish(claim, value or last)
        elif how == "pruned":
            self.store.tell(claim, ended("PRUNED", "pruned"))
        else:
            self.store.tell(claim, ended("FAIL", how, "val_loss 4.81 in epoch 3"))
        return claim

    def finish(self, claim: Claim, value: float) -> None:
        """End a trial well, with the tables that it keeps."""
        self.store.tell(claim, finished(value, links=self._keep(claim, value)))

    def end_many(self, count: int) -> None:
        """End so many trials, most of them well."""
        for place in range(count):
            self.end(ENDS[place % len(ENDS)])

    def age(self, minutes: float = 6.0) -> None:
        """Move the stored times, so that each trial took so long and followed the one before."""
        trials = [row for row in self.store.trials(self.name) if row.ended_at]
        with transaction(self.store.engine) as connection:
            for place, row in enumerate(reversed(trials)):
                near = 60 * minutes * (place + 0.1)
                moved = {"trial": row.trial_id, "near": near, "far": near + 0.8 * 60 * minutes}
                for statement in EARLIER.split(";\n"):
                    connection.execute(text(statement), moved)
            begun = {"study": self.study_id, "far": 60 * minutes * (len(trials) + 1)}
            for statement in BEGUN.split(";\n"):
                connection.execute(text(statement), begun)

    def _keep(self, claim: Claim, value: float) -> Mapping[str, str]:
        """Keep the small tables of a finished trial."""
        links: dict[str, str] = {}
        for name, content in tables(claim.number, value).items():
            path = self._artifacts.parent / name
            path.write_text(content)
            links |= keep(artifact_store(str(self._artifacts)), claim, path)
        return links


def waiting(store: Store, artifacts: Path, name: str) -> Scene:
    """Store a study that nobody has begun."""
    return Scene(store, artifacts, name)


def starting(store: Store, artifacts: Path, name: str) -> Scene:
    """Store a study whose first trial has begun."""
    scene = Scene(store, artifacts, name)
    scene.hire("ada", "grace")
    scene.begin()
    return scene


def running(store: Store, artifacts: Path, name: str) -> Scene:
    """Store a study in which much has happened and three workers train."""
    scene = Scene(store, artifacts, name)
    scene.hire("ada", "grace", "mary")
    scene.end_many(11)
    scene.begin(epochs=2)
    store.end_leases(scene.worker("ada"), HandBackReason.KILLED)
    claim = scene.begin("grace")  # the trial of the killed worker
    rest = scene.planned(claim) - 2
    store.tell(claim, finished(scene.train(claim, rest, since=2)))
    scene.end_many(12)
    scene.age()
    for worker, epochs in (("ada", 4), ("grace", 2), ("mary", 3)):
        scene.begin(worker, epochs)
    return scene


def stalled(store: Store, artifacts: Path, name: str) -> Scene:
    """Store a study with a worker that makes no step any more, and one that does."""
    scene = Scene(store, artifacts, name)
    scene.hire("ada", "grace")
    scene.end_many(2)
    scene.begin("grace", epochs=3)
    scene.begin("ada", epochs=2, lease_seconds=0.05)
    return scene


def stopped(store: Store, artifacts: Path, name: str) -> Scene:
    """Store a study that somebody stopped in the middle of a trial."""
    scene, claim = _in_the_middle(store, artifacts, name)
    store.request_stop(name, "drain")
    store.hand_back(claim, HandBackReason.DRAINED)
    store.worker_ended(scene.worker("ada"), 75, "handed back")
    return scene


def failed(store: Store, artifacts: Path, name: str) -> Scene:
    """Store a study that stopped by itself."""
    scene, claim = _in_the_middle(store, artifacts, name)
    store.hand_back(claim, HandBackReason.KILLED)
    store.worker_ended(scene.worker("ada"), 3, "three trials ended by the same error: no kernel")
    return scene


def finished_study(store: Store, artifacts: Path, name: str) -> Scene:
    """Store a study whose trials have all ended."""
    scene = Scene(store, artifacts, name, trials=24)
    scene.hire("ada")
    scene.end_many(24)
    scene.age()
    store.worker_ended(scene.worker("ada"), 0, "every trial has ended")
    return scene


def practice(store: Store, artifacts: Path, name: str) -> Scene:
    """Store a finished study on practice data."""
    scene = Scene(store, artifacts, name, is_practice=True, trials=6)
    scene.hire("ada")
    scene.end_many(6)
    store.worker_ended(scene.worker("ada"), 0, "every trial has ended")
    return scene


STATES: Mapping[str, Callable[[Store, Path, str], Scene]] = {
    "waiting": waiting,
    "starting": starting,
    "running": running,
    "stalled": stalled,
    "stopped": stopped,
    "failed": failed,
    "finished": finished_study,
    "practice": practice,
}


def _in_the_middle(store: Store, artifacts: Path, name: str) -> tuple[Scene, Claim]:
    """Store a study with a few ended trials and one that runs."""
    scene = Scene(store, artifacts, name)
    scene.hire("ada")
    scene.end_many(3)
    return scene, scene.begin(epochs=2)
