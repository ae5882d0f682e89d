"""A real PgBouncer in front of a database, in transaction mode."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from storage.locks import wait_until
from tests.conftest import answers

# Fewer connections to the server than a run has: the sessions behind two statements differ.
SETTINGS = """
[databases]
* = host='{host}' port=5432

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
max_client_conn = {clients}
default_pool_size = 2
logfile = {folder}/log
{more}
"""


@contextmanager
def pgbouncer(url: str, folder: Path, clients: int = 100, more: str = "") -> Iterator[str]:
    """Yield the URL of a PgBouncer for the user of an embedded Postgres; skip where there is none.

    folder: short-lived, for its files.
    clients: the connections that it allows.
    more: further lines of its settings; `{folder}` is the folder that it may read.
    """
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin:/usr/local/sbin")
    if program is None:
        pytest.skip("needs pgbouncer: apt-get install pgbouncer")
    parts, owner = make_url(url), Path(str(make_url(url).query["host"])).stat()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    here = folder / "pgbouncer"
    here.mkdir()
    known = {"host": parts.query["host"], "port": port, "folder": here, "clients": clients}
    settings = SETTINGS.format(**known, more=more.format(folder=folder))
    (here / "ini").write_text(settings)
    (here / "users").write_text(f'"{parts.username}" ""\n')
    shutil.chown(here, owner.st_uid, owner.st_gid)
    # The server's socket is its user's alone, and PgBouncer runs as root no more than Postgres.
    as_owner = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    process = subprocess.Popen(
        [program, "-q", str(here / "ini")], **(as_owner if owner.st_uid != os.geteuid() else {})
    )
    try:
        assert wait_until(lambda: answers(port), 10), (here / "log").read_text()
        query = {"host": "127.0.0.1", "port": str(port)}
        yield parts.set(query=query).render_as_string(hide_password=False)
    finally:
        process.kill()
        process.wait()
