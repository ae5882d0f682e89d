"""A server behind the guard, in a thread of the test, without a database."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from dashboards.door.confirmations import csrf_token, read_confirmed_form
from dashboards.door.entrance import Entrance
from dashboards.door.port import address, listen
from dashboards.door.tokens import parse_tokens
from dashboards.serve import build_server
from storage.locks import wait_until
from tests.dashboards.door.attackers import VIEWER, WRITER

Served = Callable[..., str]
TOKENS = parse_tokens(f"viewer: {VIEWER}\nwriter: {WRITER}\n", "test")


async def who(request: Request) -> Response:
    """Tell the visitor what the guard says about him."""
    state = request.state
    told = {"role": state.role, "visitor": state.visitor, "csrf": csrf_token(request)}
    return JSONResponse(told)


async def act(request: Request) -> Response:
    """Do what only a writer may do."""
    form = await read_confirmed_form(request)
    return JSONResponse({"done": form, "by": request.state.visitor})


async def flood(request: Request) -> Response:
    """Send without end."""

    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536
            await asyncio.sleep(0)  # to a reader that has gone, sending waits for nothing

    return StreamingResponse(pieces())


async def report(request: Request) -> Response:
    """Send a page with a policy of its own, as reports have."""
    return PlainTextResponse("", headers={"Content-Security-Policy": "sandbox allow-scripts"})


APP = Starlette(
    routes=[
        Route("/", who),
        Route("/s/toy", who),
        Route("/s/toy/actions/stop", act, methods=["POST"]),
        Route("/s/toy/report", report),
        Route("/flood", flood),
        Route("/api/studies", who, methods=["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"]),
    ]
)


@pytest.fixture
def served() -> Iterator[Served]:
    """Serve an application behind the guard and return its address."""
    with ExitStack() as ending:

        def serve(host: str | None = None, **ways: object) -> str:
            entrance = Entrance(**ways)  # type: ignore[arg-type]
            listener = ending.enter_context(listen(0, host))
            named = address(listener, "https" if entrance.certificate else "http")
            server = build_server(APP, listener, entrance)
            thread = threading.Thread(target=server.run, args=([listener],))
            thread.start()
            ending.callback(thread.join, 30)
            ending.callback(server.handle_exit, 0, None)
            assert wait_until(lambda: server.started, 30)
            return named

        yield serve


@pytest.fixture
def local(served: Served) -> Iterator[httpx.Client]:
    """A program of our own user at a dashboard without tokens."""
    with httpx.Client(base_url=served(), timeout=30) as client:
        yield client


@pytest.fixture
def asked(served: Served) -> Iterator[httpx.Client]:
    """A program at a dashboard that asks for a token."""
    with httpx.Client(base_url=served(tokens=TOKENS), timeout=30) as client:
        yield client
