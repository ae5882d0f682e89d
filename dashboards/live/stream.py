"""A study's changes as server-sent events, for as long as one viewer stays."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse

from dashboards.live.source import Source
from dashboards.live.view import View
from dashboards.live.watch import Changes, Watch
from spaces.errors import StudyError
from storage.errors import StorageError

TICK_SECONDS = 2.0
HEADERS = {"X-Accel-Buffering": "no"}  # nginx would keep events back


def stream(request: Request, watch: Watch[Any], source: Source) -> StreamingResponse:
    """Answer with the panels that change from now on, and a tick where none did."""
    view, since = View.of(request.query_params), request.query_params.get("since", "")
    events = _events(watch, partial(source.run, watch.changes, view), since)
    headers = dict(HEADERS)
    if "gzip" in request.headers.get("accept-encoding", ""):
        # One window for the whole stream: a panel that changes a little costs a few bytes.
        headers["Content-Encoding"] = "gzip"
        events = _packed(events)
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _events(
    watch: Watch[Any], changes_since: Callable[[str], Awaitable[Changes]], version: str
) -> AsyncIterator[bytes]:
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    with watch.listening(lambda: loop.call_soon_threadsafe(told.set)):
        while True:
            told.clear()
            try:
                changes = await changes_since(version)
            except (StorageError, StudyError):  # it was deleted, or is of another version now
                yield _event("gone", "{}")
                return
            yield as_event(changes) if changes.panels else _event("tick", "{}")
            version = changes.version
            if watch.is_over:  # it ended between two viewers; the browser asks for the next one
                return
            try:
                await asyncio.wait_for(told.wait(), 2 * TICK_SECONDS)
            except TimeoutError:
                continue


async def _packed(events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    packer = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    async for event in events:
        yield packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH)


def as_event(changes: Changes) -> bytes:
    """Return changed panels as one event."""
    return _event("panels", changes.as_json)


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()
