"""A reading of the study, as the thread of a watched page does it every two seconds."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

import httpx
from sqlalchemy import Connection, Engine, event

from benchmarks.dashboard.scene import Scene, scene
from benchmarks.dashboard.serving import plain_dashboard
from benchmarks.engine.clock import Clock
from benchmarks.engine.lab import Lab
from benchmarks.engine.study import STUDY
from benchmarks.figures import Figure, Target, middle
from dashboards.analysis.listing import StudiesReader
from dashboards.analysis.overview import OverviewReader
from dashboards.live import render
from dashboards.live.view import View
from storage.store import NewStudy, Store
from storage.viewers.opening import open_reader

DATABASE_MS = Target(20)
POLLS, POLL_SECONDS = 3, 11  # of optuna-dashboard, which keeps an answer for ten seconds
STUDIES = 100


@dataclass
class Taken:
    """The statements that were sent, with their times in milliseconds."""

    statements: list[tuple[str, float]] = field(default_factory=list)

    @property
    def ms(self) -> float:
        """The time of all."""
        return sum(ms for _, ms in self.statements)


def database(lab: Lab) -> Iterator[Figure]:
    """Measure what an update costs, by what has happened since the one before."""
    size = lab.sizes.middle
    with scene(lab, size) as played, open_reader(played.place.url) as store:
        reader = OverviewReader(store, STUDY.name, str(played.place.home / "artifacts"))
        render.panels(reader.read(), View())
        plain = _polls(played)
        happens: dict[str, Callable[[], object]] = {
            "nothing changed": lambda: None,
            "one epoch": played.record,
            "16 epochs": lambda: [played.record() for _ in range(16)],
            "one trial ended": played.end,
        }
        for what, happen in happens.items():
            yield from _updates(lab, f"{what}, {size:,} trials", (played, reader, happen), plain)


def _updates(
    lab: Lab,
    at: str,
    given: tuple[Scene, OverviewReader, Callable[[], object]],
    plain: dict[str, float],
) -> Iterator[Figure]:
    played, reader, happen = given
    clock = Clock(played.place.url)
    rows = []
    for _ in range(lab.trials):
        before = reader.read()
        happen()
        with _timed() as taken:
            client, server = clock.split(reader.read)
        last, started = reader.read(), time.process_time()
        render.panels(last, View(), before)
        draw = (time.process_time() - started) * 1000
        rows.append((taken.ms, len(taken.statements), server, client, draw))
    wall, statements, server_ms, client_ms, draw_ms = zip(*rows, strict=True)
    yield Figure(
        row="database",
        name="ms in statements of an update",
        at=at,
        value=middle(wall),
        target=DATABASE_MS,
        beside={
            "statements": median(statements),
            "server_cpu_ms": median(server_ms),
            "reading_cpu_ms": median(client_ms),
            "drawing_cpu_ms": median(draw_ms),
            **plain,
        },
    )


def _polls(played: Scene) -> dict[str, float]:
    """Measure what optuna-dashboard's page asks for every ten seconds."""
    clock = Clock(played.place.url)
    with plain_dashboard(played.place) as served, httpx.Client(timeout=300) as client:
        asked = f"{served.url}/api/studies/{played.study_id}"
        answer = client.get(asked)
        ended = sum(
            trial["state"] not in ("Running", "Waiting") for trial in answer.json()["trials"]
        )
        took = []
        for _ in range(POLLS):
            time.sleep(POLL_SECONDS)
            played.record()
            started = time.monotonic()
            _, server = clock.split(lambda: client.get(asked, params={"after": ended}))
            took.append((time.monotonic() - started, server))
    seconds, server_ms = zip(*took, strict=True)
    return {"plain_poll_seconds": median(seconds), "plain_server_cpu_ms": median(server_ms)}


def listing(lab: Lab) -> Iterator[Figure]:
    """Measure an update of the list of a hundred studies, of which one runs."""
    with scene(lab, lab.sizes.small) as played:
        _add_studies(played.store)
        with open_reader(played.place.url) as store:
            reader, clock, rows = StudiesReader(store), Clock(played.place.url), []
            reader.read()
            for _ in range(lab.trials):
                played.record()
                with _timed() as taken:
                    client, server = clock.split(reader.read)
                rows.append((taken.ms, len(taken.statements), server, client))
    wall, statements, server_ms, client_ms = zip(*rows, strict=True)
    yield Figure(
        row="list",
        name="ms in statements of an update",
        at=f"{STUDIES} studies, one of which runs",
        value=middle(wall),
        target=DATABASE_MS,
        beside={
            "statements": median(statements),
            "server_cpu_ms": median(server_ms),
            "reading_cpu_ms": median(client_ms),
        },
    )


def _add_studies(store: Store) -> None:
    row = store.study(STUDY.name)
    for number in range(STUDIES - 1):
        name = f"study-{number}"
        definition = {**row.definition, "study": {**row.definition["study"], "name": name}}
        prints = {"fingerprint": row.fingerprint, "data_fingerprint": row.data_fingerprint}
        new = {"definition": definition, "direction": "minimize", "trials": 80}
        store.create(NewStudy(name=name, **prints, **new))


@contextmanager
def _timed() -> Iterator[Taken]:
    """Time every statement of this process."""
    taken, begun = Taken(), dict[Connection, float]()

    def before(connection: Connection, *_: object) -> None:
        begun[connection] = time.perf_counter()

    def after(connection: Connection, _: object, statement: str, *__: object) -> None:
        taken.statements.append((statement, (time.perf_counter() - begun[connection]) * 1000))

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    try:
        yield taken
    finally:
        event.remove(Engine, "before_cursor_execute", before)
        event.remove(Engine, "after_cursor_execute", after)
