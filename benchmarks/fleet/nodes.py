"""A Ray cluster of several nodes on this machine, with made-up GPUs, and a toy study for it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil

from objectives.data.manifest.manifest import NOTHING
from search.settings import Settings
from search.studies.create import store_study
from search.studies.declare import data_source, resolved
from search.studies.overrides import Overrides
from search.studies.prepare import Prepared
from spaces.params import Float
from spaces.study import Pruning, Study
from storage.store import Store

GPUS = 2  # of each node
OBJECT_STORE_BYTES = 80 * 2**20  # the smallest that Ray takes; nothing travels through it


@dataclass
class Nodes:
    """Nodes of two GPUs each, that a folder belongs to; each has a home of its own."""

    folder: Path
    cluster: Any = None

    @property
    def address(self) -> str:
        """HOST:PORT of the head."""
        return str(self.cluster.address)

    def start(self, port: int | None = None) -> Any:
        """Start a head and return it.

        port: that of an earlier one, in whose place it comes.
        """
        from ray.cluster_utils import Cluster

        given = {"include_dashboard": False, "temp_dir": str(self.folder)}
        if port is not None:
            given["gcs_server_port"] = port
        self.cluster = Cluster(initialize_head=True, head_node_args={**self._node("head"), **given})
        return self.cluster.head_node

    def add(self, name: str) -> Any:
        """Add a node and return it."""
        return self.cluster.add_node(**self._node(name))

    def lose(self, node: Any) -> None:
        """Kill every process of a node at once, as a power cut does."""
        raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
        doomed = raylet.children(recursive=True)
        raylet.kill()
        for process in doomed:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if node.is_head():
            node.kill_all_processes(check_alive=False, allow_graceful=False)
        else:
            self.cluster.remove_node(node, allow_graceful=False)

    def end(self) -> None:
        """End every process of the nodes, of an earlier head too."""
        if self.cluster:
            self.cluster.shutdown()
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if str(self.folder) in " ".join(process.cmdline()):
                    process.kill()

    def home(self, name: str) -> Path:
        """Return the SEARCH_HOME of a node."""
        return self.folder / f"home-{name}"

    def _node(self, name: str) -> dict[str, Any]:
        return {
            "num_cpus": 2,
            "num_gpus": GPUS,
            "object_store_memory": OBJECT_STORE_BYTES,
            "env_vars": {"SEARCH_HOME": str(self.home(name))},
        }


@contextmanager
def ray_nodes() -> Iterator[Nodes]:
    """Yield a cluster of two nodes, `head` and `second`; nothing of it is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="ray"))  # short: a socket's path has 107 bytes at most
    nodes = Nodes(folder)
    (folder / "ray").mkdir()  # where Ray notes the newest cluster: not among this user's own
    with patch.dict(os.environ, RAY_TMPDIR=str(folder)):
        try:
            nodes.start()
            nodes.add("second")
            yield nodes
        finally:
            nodes.end()
            shutil.rmtree(folder, ignore_errors=True)


def store_toy(store: Store, home: Path, **changes: Any) -> None:
    """Store the study `toy`, whose epochs take .3 s."""
    declared: dict[str, Any] = {
        "name": "toy",
        "objective": "toy_curve",
        "metric": "val_loss",
        "direction": "minimize",
        "trials": 1000,
        "fixed": {"epochs": 20, "seconds_per_epoch": 0.3},
        "pruning": Pruning("none"),
        "space": [Float("learning_rate", 1e-4, 1.0, log=True)],
    }
    study = Study(**declared | changes)
    prepared = Prepared(stored=resolved(study), source=data_source(study, None), manifest=NOTHING)
    store_study(prepared, Overrides(study.name), Settings(home=home), store)
