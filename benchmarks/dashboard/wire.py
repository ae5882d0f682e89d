"""The bytes that go over the wire, and what viewers cost the server."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from sqlalchemy import NullPool, create_engine, text

from benchmarks.dashboard.scene import Scene, scene
from benchmarks.dashboard.serving import (
    Served,
    Stream,
    our_dashboard,
    plain_dashboard,
    viewers,
)
from benchmarks.engine.lab import Lab
from benchmarks.figures import Figure, Target, exactly, middle, ratio
from dashboards.live.watch import EVERY_SECONDS, IDLE_SECONDS

USUAL_BYTES, WORST_BYTES, PAGE_BYTES = Target(3_000), Target(20_000), Target(40_000)
TIMES_ONE, LAG_SECONDS, NONE = Target(2), Target(3), Target(0)
VIEWERS = 20
EPOCHS_A_SECOND = 1.0  # of 16 workers whose epochs take 16 s
COUNTED_SECONDS = 12  # a server's process tells its transactions that late
GZIP = {"Accept-Encoding": "gzip"}
TRANSACTIONS = text("SELECT xact_commit FROM pg_stat_database WHERE datname = :name")


def bytes_sent(lab: Lab) -> Iterator[Figure]:
    """Count the bytes of a first visit, of an epoch's update, and of the worst update."""
    size = lab.sizes.middle
    with scene(lab, size) as played, our_dashboard(played.place) as served:
        with plain_dashboard(played.place) as plain:
            first_plain = _visit(plain, "/dashboard")
            with httpx.Client(timeout=300, base_url=plain.url) as client:
                asked = f"/api/studies/{played.study_id}"
                first_poll = len(client.get(asked, headers=GZIP).content)
                poll = len(client.get(asked, params={"after": size - 100}, headers=GZIP).content)
        yield Figure(
            row="bytes",
            name="bytes of a first visit, gzipped",
            at=f"{size:,} trials",
            value=exactly(_visit(served, f"/s/{played.name}")),
            target=PAGE_BYTES,
            beside={"plain": first_plain + first_poll},
        )
        with viewers(served, 1) as [viewer]:
            viewer.next_panels(_after(played.end))
            usual = [_update(viewer, played, 1) for _ in range(lab.trials)]
            worst = [_update(viewer, played, 16) for _ in range(lab.rounds)]
        yield Figure(
            row="bytes",
            name="bytes of an update, one epoch",
            at=f"{size:,} trials",
            value=middle(usual),
            target=USUAL_BYTES,
            beside={"plain": poll},
        )
        yield Figure(
            row="bytes",
            name="bytes of an update, 16 trials ended",
            at=f"{size:,} trials",
            value=middle(worst),
            target=WORST_BYTES,
        )


def cost_of_viewers(lab: Lab) -> Iterator[Figure]:
    """Measure the CPU of the server with one viewer and with twenty, and its rest without any."""
    size = lab.sizes.middle
    with scene(lab, size) as played, our_dashboard(played.place) as served:
        shares: dict[int, list[float]] = {1: [], VIEWERS: []}
        for _ in range(max(1, lab.rounds // 3)):
            for count, measured in shares.items():
                with viewers(served, count) as watching, _working(played):
                    watching[0].next_panels(time.monotonic())
                    measured.append(_share(served, 10 * lab.seconds))
        yield Figure(
            row="viewers",
            name=f"CPU of {VIEWERS} viewers over that of one",
            at=f"{size:,} trials, {EPOCHS_A_SECOND:g} epochs a second",
            value=ratio(list(zip(shares[VIEWERS], shares[1], strict=True))),
            target=TIMES_ONE,
            beside={f"{count}_cpu_percent": 100 * each[0] for count, each in shares.items()},
        )
        time.sleep(IDLE_SECONDS + 3 * EVERY_SECONDS + COUNTED_SECONDS)
        before = _transactions(lab, played)
        cpu = _share(served, 15)
        yield Figure(
            row="viewers",
            name="transactions in 15 s without a viewer",
            at=f"{size:,} trials",
            value=exactly(_transactions(lab, played) - before),
            target=NONE,
            beside={"cpu_percent": 100 * cpu, "memory_mb": served.memory_mb()},
        )


def memory(lab: Lab) -> Iterator[Figure]:
    """Measure the memory of the server while a study is watched."""
    for size in (lab.sizes.middle, lab.sizes.large):
        with scene(lab, size) as played, our_dashboard(played.place) as served:
            alone = served.memory_mb()
            with viewers(served, 1) as [viewer]:
                for _ in range(3):
                    started = _after(played.end)
                    lag = viewer.next_panels(started)[0] - started
            yield Figure(
                row="memory",
                name="MB of a watched study's server",
                at=f"{size:,} trials",
                value=exactly(served.memory_mb()),
                beside={"unwatched": alone, "last_update_seconds": lag},
            )


def _visit(served: Served, path: str) -> int:
    """Return the bytes of a page with its style sheet and script."""
    with httpx.Client(base_url=served.url, timeout=300, headers=GZIP) as client:
        page = client.get(path)
        parts = [part for part in page.text.split('"') if part.endswith(".js") or "/live/" in part]
        return sum(_raw(client, part) for part in dict.fromkeys([path, *parts]))


def _raw(client: httpx.Client, path: str) -> int:
    with client.stream("GET", path) as answer:
        return sum(map(len, answer.iter_raw()))


def _update(viewer: Stream, played: Scene, ended: int) -> int:
    """Return the bytes of the update after an epoch, or after so many trials have ended."""
    started = time.monotonic()
    if ended == 1:
        played.record()
    else:
        for _ in range(ended):
            played.end()
    return viewer.next_panels(started)[1]


def _after(happen: object) -> float:
    started = time.monotonic()
    happen()  # type: ignore[operator]
    return started


@contextmanager
def _working(played: Scene) -> Iterator[None]:
    """Let the workers record epochs, and end and begin trials, meanwhile."""
    is_over = threading.Event()

    def work() -> None:
        while not is_over.wait(1 / EPOCHS_A_SECOND):
            played.record()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _share(served: Served, seconds: float) -> float:
    before, started = served.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    return (served.cpu_seconds() - before) / (time.monotonic() - started)


def _transactions(lab: Lab, played: Scene) -> int:
    """Count the transactions in the study's database; asked in another one, so it adds none."""
    engine = create_engine(lab.url, poolclass=NullPool)
    with engine.connect() as connection:
        name = played.place.url.partition("?")[0].rpartition("/")[2]
        return int(connection.execute(TRANSACTIONS, {"name": name}).scalar_one())
