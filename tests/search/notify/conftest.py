"""A receiver of messages, and a study to send them of."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import Message as Headers
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from dashboards.analysis.snapshot import Snapshot, read_snapshot
from spaces.stored import StoredStudy, to_json
from storage.store import Store
from tests.search.processes.toy_run import STUDY as TOY
from tests.storage.samples import new_study, new_worker

STUDY = replace(TOY, trials=2)
HANGS = 0  # an answer that never comes


@dataclass
class Receiver:
    """A server that records what it gets and answers as it is told, 200 in the end."""

    url: str
    answers: list[int] = field(default_factory=list)
    got: list[tuple[str, Headers, bytes]] = field(default_factory=list)
    closing: Event = field(default_factory=Event)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The bodies so far, as JSON."""
        return [json.loads(body) for _, _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real HTTP server on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            ours.got.append((self.path, self.headers, body))
            status = ours.answers.pop(0) if ours.answers else 200
            if status == HANGS:
                ours.closing.wait()
                return
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - what a followed redirect would become

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        ours = Receiver(f"http://127.0.0.1:{server.server_port}/hook/secret-path")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield ours
        ours.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def study(store: Store) -> Store:
    """A store with the study `toy` of two trials and its worker ada."""
    store.create(new_study(definition=to_json(StoredStudy(STUDY)), trials=STUDY.trials))
    store.register_worker("toy", new_worker("ada"))
    return store


@pytest.fixture
def snapshot(study: Store) -> Snapshot:
    """The study before its first trial."""
    return read_snapshot(study, "toy")
