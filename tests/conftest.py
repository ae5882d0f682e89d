"""Shared by all tests: one embedded Postgres, and a fresh database for each test."""

import itertools
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from search.processes.gpus import gpus
from storage.locks import wait_until
from storage.postgres import server
from storage.postgres.programs import is_root, server_owner
from tests.madeup.gpus import MadeUpGpus, build
from tests.memory import memory_folder

# As for workers, and before a test loads torch: threads that spin while they wait for each other
# take the cores from the other test processes. Three tests took 22 s of CPU, and 9 s so.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# NumPy's threads know no such setting; beside other processes one thread is the faster.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests that need a GPU where the driver shows none, which is found without torch."""
    if not gpus(os.environ.get("CUDA_VISIBLE_DEVICES")):
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


@pytest.fixture(autouse=True)
def same_environment() -> Iterator[None]:
    """Give each test the environment of the first: a command in this process changes its own."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def database_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an embedded Postgres, made for this session and removed with it."""
    home = tmp_path_factory.mktemp("home")
    with memory_folder() as memory:
        try:
            with server.connect(home, None) as url:
                # A test run may lose everything in a power cut; real homes never turn this off.
                settings = ("fsync = off", "full_page_writes = off")
                execute(url, *(f"ALTER SYSTEM SET {each}" for each in settings))
                execute(url, "SELECT pg_reload_conf()")
                if memory:
                    keep_databases_in(memory, url)
                yield url
        finally:
            server.remove(home)


@pytest.fixture(scope="session")
def template_url(database_server: str) -> str:
    """The URL of a database with all tables and no studies, to be copied only."""
    url = new_database(database_server, "template", "template1")
    from storage.store import Store  # takes 1.4 s, which tests without a database save

    Store.open(url).close()
    return url


@pytest.fixture
def database_url(database_server: str, template_url: str) -> Iterator[str]:
    """The URL of a database of the test's own, with all tables and no studies."""
    with own_database(database_server, template_url) as url:
        yield url


@pytest.fixture(scope="session")
def made_up_driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a made-up driver of NVIDIA's."""
    return build(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def made_up_gpus(made_up_driver: Path, tmp_path: Path) -> MadeUpGpus:
    """GPUs of the test's own, for processes that it starts."""
    return MadeUpGpus(made_up_driver, tmp_path / "gpus")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Mapping[str, str]]:
    """The environment in which boto3 finds an S3 server of this session's, with a bucket `lab`."""
    boto3 = pytest.importorskip("boto3", reason="needs boto3")
    pytest.importorskip("moto", reason="needs moto, whose server speaks S3")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = "from moto.server import main; main()"
    command = [sys.executable, "-c", serve, "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    environment = s3_environment(port)
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    try:
        assert wait_until(lambda: answers(port), 60)
        url, region = environment["AWS_ENDPOINT_URL"], environment["AWS_DEFAULT_REGION"]
        client = boto3.client("s3", endpoint_url=url, region_name=region, **keys)
        client.create_bucket(Bucket="lab")
        yield environment
    finally:
        server.kill()
        server.wait()


def s3_environment(port: int) -> dict[str, str]:
    """Return the environment that leads boto3 to a port of this machine, with one try each."""
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }


def answers(port: int) -> bool:
    """Tell whether a server listens at a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def own_database(server_url: str, template_url: str) -> Iterator[str]:
    """Copy the template under a name that is new in this session; drop the copy at the end."""
    name = f"test_{next(numbers)}"
    yield new_database(server_url, name, str(make_url(template_url).database))
    with kept_engine(server_url).connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def keep_databases_in(folder: Path, server_url: str) -> None:
    """Let a server make every new database in a folder.

    In memory a copy costs 25 ms of CPU, on a disk 60 ms, and 220 ms while others write to it.
    """
    if is_root():
        os.chown(folder, *server_owner())
    execute(
        server_url,
        f"CREATE TABLESPACE memory LOCATION '{folder}'",
        "ALTER DATABASE template1 SET TABLESPACE memory",  # a copy lies where its template does
    )


def new_database(server_url: str, name: str, template: str) -> str:
    """Copy a database under a new name and return its URL."""
    copy = f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"
    with kept_engine(server_url).connect() as connection:
        connection.execute(text(copy))
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


@cache
def kept_engine(server_url: str) -> Engine:
    """Build an engine that keeps its connection: a new one takes 6 ms of CPU, twice a test."""
    return create_engine(server_url, isolation_level="AUTOCOMMIT", pool_size=1, pool_pre_ping=True)


def execute(url: str, *statements: str) -> None:
    """Run statements that stand outside any transaction."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
