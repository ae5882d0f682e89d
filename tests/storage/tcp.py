"""A Postgres as others run one: over TCP, with a password that it asks for by SCRAM."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import NullPool, create_engine, text

from storage.postgres import server
from storage.postgres.cluster import cluster_of
from storage.postgres.programs import run


@contextmanager
def tcp_server(
    home: Path, *statements: str, addresses: Sequence[str] = ("127.0.0.1",), port: int = 5432
) -> Iterator[Path]:
    """Run a server at some addresses of this machine; yield its folder of data, and remove it.

    home: an empty folder.
    statements: run by its superuser before it asks anybody for a password.
    """
    with server.connect(home, None) as own:
        engine = create_engine(own, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as door:
            for statement in statements:
                door.execute(text(statement))
    data = cluster_of(home).data
    (data / "pg_hba.conf").write_text("host all all all scram-sha-256\n")
    owner, where = (data.stat().st_uid, data.stat().st_gid), f"--pgdata={data}"
    options = f"--options=-h {','.join(addresses)} -p {port} -k ''"
    try:
        started = run(owner, "pg_ctl", "start", "--wait", where, f"--log={data}/log", options)
        assert started.returncode == 0, (data / "log").read_text()
        yield data
    finally:
        run(owner, "pg_ctl", "stop", "--mode=fast", where)
        server.remove(home)
