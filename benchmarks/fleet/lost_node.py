"""A node that is lost under Ray: when its trials go on elsewhere, and what is trained again.

`python -m benchmarks.fleet.lost_node [--rounds 6] [--lease 30] [--json]`. Three Ray nodes on this
machine have two made-up GPUs each and a home each; six real workers train toy curves on the CPU
through one Postgres and share their checkpoints in a folder. A round kills every process of the
third node at once, as a power cut does, and adds it again.

A trial's time counts from the kill to the start of its next attempt, which begins when the lease is
over and a worker takes its next trial: four are left, whose trials take 6 s on a quiet machine. The
epochs trained again are those between the checkpoint that the next attempt goes on from and the
last recorded one.
"""

import argparse
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil

from benchmarks.figures import Figure, Target, middle, tell
from benchmarks.fleet.nodes import GPUS, Nodes, ray_nodes, store_toy
from objectives.files.checkpoints import epoch_of
from search.cli import main as search
from storage.postgres import server
from storage.rows import AttemptRow
from storage.store import Store

PATIENCE_SECONDS = 180.0
WORKERS = 6
LOST = "third"
TARGET_SECONDS = 10.0  # beyond the lease
EARLY_EPOCHS = 8  # of the toy study's 20: no trial ends between the look and the loss

Found = TypeVar("Found")


@dataclass(frozen=True)
class Moved:
    """A trial whose node was lost.

    seconds: from the loss to its next attempt.
    again: the epochs that were recorded and are trained again.
    """

    seconds: float
    again: int


def lose_a_node(nodes: Nodes, node: Any, store: Store) -> list[Moved]:
    """Kill a node while its workers train; return their trials once they go on elsewhere."""
    workers = wait(lambda: _amid_trials(nodes, store))
    lost_at = time.time()
    nodes.lose(node)
    cut = [each for each in store.attempts("toy") if each.worker in workers and not each.ended_at]
    wait(lambda: all(_has_begun(store, each) for each in cut))
    return [_moved(nodes, store, each, lost_at) for each in cut]


def wait(look: Callable[[], Found]) -> Found:
    """Look until there is something, and return it; TimeoutError where that takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError("the fleet does not do what was waited for")
        time.sleep(0.3)  # a look at all processes takes a core from the workers
    return found


def _amid_trials(nodes: Nodes, store: Store) -> set[str]:
    """Return the workers of the node to lose if each has recorded an epoch and is far from done."""
    pids = {each.pid for each in psutil.process_iter() if _lives_in(each, nodes.home(LOST))}
    here = {row.worker for row in store.workers("toy", at_work=True) if row.pid in pids}
    running = [each for each in store.attempts("toy") if each.worker in here and not each.ended_at]
    amid = [each for each in running if 0 < each.epochs < EARLY_EPOCHS]
    return here if len(amid) == GPUS else set()


def _lives_in(process: psutil.Process, home: Path) -> bool:
    try:
        return "worker" in process.cmdline() and process.environ().get("SEARCH_HOME") == str(home)
    except psutil.Error:
        return False


def _next(store: Store, cut: AttemptRow) -> AttemptRow | None:
    later = (each for each in store.attempts("toy", cut.number) if each.attempt > cut.attempt)
    return next(later, None)


def _has_begun(store: Store, cut: AttemptRow) -> bool:
    """Say whether the next attempt has recorded an epoch, so that its log says where it began."""
    following = _next(store, cut)
    return bool(following and (following.epochs or following.ended_at))


def _moved(nodes: Nodes, store: Store, cut: AttemptRow, lost_at: float) -> Moved:
    following = _next(store, cut)
    if following is None:
        raise TimeoutError(f"trial {cut.number} has no further attempt")
    epochs = store.epochs("toy", cut.number)
    recorded = max(each.epoch for each in epochs if each.attempt <= cut.attempt)
    resumed = _resumed_at(nodes, following)
    return Moved(following.started_at.timestamp() - lost_at, recorded - resumed)


def _resumed_at(nodes: Nodes, attempt: AttemptRow) -> int:
    """Read the epoch of the checkpoint that an attempt went on from; 0 for none."""
    began = re.compile(
        rf"trial {attempt.number}, attempt {attempt.attempt}\n(?:(?!.*: trial ).*\n)*?"
        r".*going on from (\S+), which another machine shared"
    )
    logs = nodes.folder.glob("home-*/logs/toy/fleet-worker-*.log")
    found = [match[1] for log in logs for match in began.finditer(log.read_text())]
    return epoch_of(found[0]) if found else 0


def measure(rounds: int, lease_seconds: float) -> Iterator[Figure]:
    """Yield the figures of so many lost nodes."""
    with ray_nodes() as nodes, _database() as url, tempfile.TemporaryDirectory() as folder:
        secrets = Path(folder) / "secrets"
        secrets.touch(mode=0o600)
        secrets.write_text(f"SEARCH_DATABASE_URL={url}\n")
        place = {"HOME": f"{folder}/home", "ARTIFACTS": f"{folder}/artifacts"}
        os.environ |= {f"SEARCH_{name}": text for name, text in place.items()}
        os.environ["SEARCH_LEASE_SECONDS"] = f"{lease_seconds:g}"
        with Store.open(url) as store:
            store_toy(store, Path(folder) / "home")
            moved = _lose_nodes(nodes, store, secrets, rounds)
    at = f"lease {lease_seconds:g} s"
    late = middle(each.seconds - lease_seconds for each in moved)
    longest = max(each.seconds for each in moved)
    yield Figure(
        row="lost node",
        name="seconds beyond the lease until a trial runs elsewhere",
        at=at,
        value=late,
        target=Target(TARGET_SECONDS),
        beside={"trials": len(moved), "longest in all": longest},
    )
    again = [each.again for each in moved]
    yield Figure(
        row="lost node",
        name="recorded epochs trained again",
        at=at,
        value=middle(again),
        target=Target(1),
        beside={"most": max(again)},
    )


def _lose_nodes(nodes: Nodes, store: Store, secrets: Path, rounds: int) -> Sequence[Moved]:
    node, moved = nodes.add(LOST), []
    at = ["--engine", "ray", "--address", nodes.address, "--secrets", str(secrets)]
    search(["fleet", "up", "--study", "toy", "--workers", str(WORKERS), *at])
    for _ in range(rounds):
        moved += lose_a_node(nodes, node, store)
        node = nodes.add(LOST)  # where the lost workers' places come back
    search(["fleet", "down", "--study", "toy", "--now"])
    return moved


@contextmanager
def _database() -> Iterator[str]:
    home = Path(tempfile.mkdtemp(prefix="lost"))
    try:
        with server.connect(home, None) as url:
            yield url
    finally:
        server.remove(home)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--lease", type=float, default=30.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    tell("benchmarks.fleet.lost_node", measure(given.rounds, given.lease), as_json=given.json)


if __name__ == "__main__":
    main()
