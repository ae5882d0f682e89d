"""`search dashboard`: the dashboard alone, until Ctrl-C."""

import sys
from argparse import Namespace
from contextlib import closing, nullcontext
from ipaddress import ip_address
from pathlib import Path
from socket import socket

from dashboards.door.entrance import Certificate, Entrance, check_entrance
from dashboards.door.port import address, inherited, listen
from dashboards.door.tokens import Tokens, parse_tokens, read_token_file, write_token_file
from dashboards.serve import serve
from search.errors import AlreadyRunning, UsageError
from search.logs import set_up_logs
from search.notify.studies import watching_studies
from search.notify.webhook import Webhook, read_webhook
from search.processes.dashboard_lock import Living, open_again, take_or_find
from search.settings import TOKEN_VARIABLE, Settings
from spaces.exits import DONE
from storage.connections import OF_A_CHANGE
from storage.postgres.server import connect
from storage.postgres.url import database_url
from storage.store import Store
from storage.viewers.role import make_viewer


def dashboard(arguments: Namespace, settings: Settings) -> int:
    """Serve every stored study, and print the address; or print that of the living dashboard."""
    if arguments.new_token_file:
        return _new_token_file(arguments)
    entrance, port = _entrance(arguments, settings), arguments.port
    log = settings.logs / "dashboard.log"  # one of a `search run` writes into that run's folder
    if arguments.fd is not None:  # for a `search run`, which holds the home's lock
        with inherited(arguments.fd) as listener:
            return _serve(listener, settings, entrance)  # that run sends the messages
    webhook = read_webhook(settings)
    if _opens_it(arguments):  # beside the home's own, which goes on asking its user for nothing
        with listen(port, arguments.host) as listener:
            return _serve(listener, settings, entrance, log=log, webhook=webhook)
    found = take_or_find(settings, open_again if port is None else lambda _: listen(port))
    if isinstance(found, Living):
        if webhook:
            note = f"it sends no message; end process {found.pid} first to have them sent from here"
            print(f"search: {note}", file=sys.stderr)
        return _point_to(found, port)
    with closing(found):
        return _serve(found.listener, settings, entrance, log=log, webhook=webhook)


def _serve(
    listener: socket,
    settings: Settings,
    entrance: Entrance,
    *,
    log: Path | None = None,
    webhook: Webhook | None = None,
) -> int:
    check_entrance(entrance, listener)  # before a database is started for it
    set_up_logs(log)
    with connect(settings.home, settings.database_url) as url:
        scheme = "https" if entrance.certificate else "http"
        print(f"dashboard {address(listener, scheme)}", flush=True)
        viewer_url = _viewer_url(url, settings)
        with watching_studies(webhook, viewer_url, settings) if webhook else nullcontext():
            serve(
                url,
                viewer_url,
                listener=listener,
                artifacts=settings.artifacts,
                logs=settings.logs,
                entrance=entrance,
            )
    return DONE


def _viewer_url(url: str, settings: Settings) -> str:
    """Return the URL for all that only reads; the tables are made where they are missing."""
    Store.open(url, OF_A_CHANGE).close()
    if settings.viewer_database_url:
        return database_url(settings.viewer_database_url)
    return url if settings.database_url else make_viewer(url)


def _point_to(living: Living, port: int | None) -> int:
    if port not in (None, living.port):
        raise AlreadyRunning(
            f"process {living.pid} serves the dashboard of this home at {living.url} already",
            f"open that, or end the process to have it on port {port}",
        )
    print(f"dashboard {living.url}")
    print(f"process {living.pid} serves this home already")
    return DONE


def _new_token_file(arguments: Namespace) -> int:
    file = arguments.new_token_file
    write_token_file(file)
    print(f"wrote {file}, with a token for viewers and one for writers")
    tls = "--certfile cert.pem --keyfile key.pem"
    print(f"next: search dashboard --host 0.0.0.0 --token-file {file} {tls}")
    return DONE


def _opens_it(arguments: Namespace) -> bool:
    return bool(
        arguments.host
        or arguments.token_file
        or arguments.certfile
        or arguments.keyfile
        or arguments.behind_proxy
        or arguments.allow_host
    )


def _entrance(arguments: Namespace, settings: Settings) -> Entrance:
    return Entrance(
        home=settings.home,
        tokens=_tokens(arguments, settings),
        names=frozenset(arguments.allow_host),
        certificate=_certificate(arguments),
        proxy=_proxy(arguments.behind_proxy),
    )


def _certificate(arguments: Namespace) -> Certificate | None:
    file, key = arguments.certfile, arguments.keyfile
    if file and key:
        return Certificate(file, key)
    if file or key:
        raise UsageError("TLS needs a certificate and its key", "give --certfile and --keyfile")
    return None


def _tokens(arguments: Namespace, settings: Settings) -> Tokens | None:
    if arguments.token_file:
        return read_token_file(arguments.token_file)
    if settings.dashboard_token:
        return parse_tokens(settings.dashboard_token, TOKEN_VARIABLE)
    return None


def _proxy(given: str | None) -> str | None:
    try:
        return str(ip_address(given)) if given else None
    except ValueError:
        raise UsageError(
            f"--behind-proxy {given!r} is no address", "give the proxy's, such as 10.0.0.7"
        ) from None
