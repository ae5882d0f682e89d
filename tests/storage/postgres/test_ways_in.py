"""The ways to a Postgres that others run: TLS, IPv6, passwords of any character, libpq's files."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from storage.errors import DatabaseUnreachable
from storage.postgres import server
from storage.postgres.url import check_reachable, database_url
from storage.store import Store
from storage.transaction import engine_options
from tests.storage.bouncer import pgbouncer
from tests.storage.samples import new_study
from tests.storage.tcp import tcp_server

PASSWORDS = {
    "blanks": " a b ",
    "of_urls": "p@s:s/w?o#r%d",
    "escaped": "%41%20+&=;",
    "quotes": "'\"\\`$HOME",
    "words": "Größe 研究 é",
    "brackets": "[::1]{}<>|^~!*(),",
}
NOBODY_THERE = "/nowhere"


@pytest.fixture(scope="module")
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Path]:
    """A server that asks each role for its password, by IPv4 and, where there is one, by IPv6."""
    made = [
        f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD '{sql_text(password)}'"
        for role, password in PASSWORDS.items()
    ]
    addresses = ("127.0.0.1", "::1") if has_ipv6() else ("127.0.0.1",)
    home = tmp_path_factory.mktemp("elsewhere")
    with tcp_server(home, *made, addresses=addresses, port=port) as data:
        yield data


def sql_text(password: str) -> str:
    """A password as a literal of SQL in a statement of SQLAlchemy's, for which `:x` is a value."""
    return password.replace("'", "''").replace(":", "\\:")


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


def role_behind(configured: str) -> str:
    """Come in as every command does; return the role that the server sees."""
    with server.connect(Path(NOBODY_THERE), configured) as url:
        engine = create_engine(url, poolclass=NullPool, **engine_options(url))
        with engine.connect() as connection:
            return str(connection.scalar(text("SELECT current_user")))


@pytest.mark.parametrize("role", PASSWORDS)
def test_a_password_has_any_character_once_it_is_quoted(port: int, role: str) -> None:
    password = quote(PASSWORDS[role], safe="")

    assert role_behind(f"postgresql://{role}:{password}@127.0.0.1:{port}/postgres") == role


def test_an_address_of_ipv6_stands_in_brackets(port: int) -> None:
    if not has_ipv6():
        pytest.skip("needs an address of IPv6")
    password = quote(PASSWORDS["words"], safe="")

    assert role_behind(f"postgresql://words:{password}@[::1]:{port}/postgres") == "words"


@pytest.mark.parametrize("named", ["by the URL", "by a variable"])
def test_a_service_of_libpqs_says_all_that_the_url_does_not(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    facts = {"host": "127.0.0.1", "port": port, "user": "escaped", "dbname": "postgres"}
    facts["password"] = PASSWORDS["escaped"]
    lines = [f"{name}={value}" for name, value in facts.items()]
    (tmp_path / "services").write_text("\n".join(["[lab]", *lines, ""]))
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    if named == "by a variable":
        monkeypatch.setenv("PGSERVICE", "lab")

    assert (
        role_behind("postgresql://?service=lab" if named == "by the URL" else "postgresql://")
        == "escaped"
    )


@pytest.mark.parametrize(
    ("file", "said"),
    [("services", "correct the service's name"), ("nowhere", "correct its name in PGSERVICEFILE")],
)
def test_a_service_that_is_not_there_is_told_with_its_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, said: str
) -> None:
    (tmp_path / "services").write_text("[other]\nhost=127.0.0.1\n")
    monkeypatch.setenv("PGSERVICE", "lab")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / file))

    with pytest.raises(DatabaseUnreachable, match=said):
        check_reachable(database_url("postgresql://"))


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """A certificate for localhost and its key, made with openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    folder = tmp_path_factory.mktemp("tls")
    files = {name: folder / f"{name}.pem" for name in ("certificate", "key")}
    words = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost"]
    out = ["-keyout", str(files["key"]), "-out", str(files["certificate"])]
    subprocess.run(
        ["openssl", "req", "-x509", *words, *names, *out], check=True, capture_output=True
    )
    return files


@pytest.fixture
def tls(database_url: str, certificate: Mapping[str, Path]) -> Iterator[str]:
    """The URL of a PgBouncer that lets nobody in without TLS; the embedded server has none."""
    lines = [
        "client_tls_sslmode = require",
        "client_tls_cert_file = {folder}/certificate.pem",
        "client_tls_key_file = {folder}/key.pem",
    ]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # PgBouncer runs as the server's user
        for file in certificate.values():
            shutil.copy(file, folder)
            (Path(folder) / file.name).chmod(0o644)
        with pgbouncer(database_url, Path(folder), more="\n".join(lines)) as url:
            yield make_url(url).update_query_dict({"host": "localhost"}).render_as_string(False)


def with_options(url: str, **options: str) -> str:
    return make_url(url).update_query_dict(options).render_as_string(hide_password=False)


@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_a_store_works_over_tls(tls: str, certificate: Mapping[str, Path], mode: str) -> None:
    url = with_options(tls, sslmode=mode, sslrootcert=str(certificate["certificate"]))

    with Store.open(url) as store:
        store.create(new_study("toy"))
        assert [study.name for study in store.studies()] == ["toy"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sslmode": "disable"}, "SSL required"),
        ({"sslmode": "verify-full", "sslrootcert": "system"}, "name the file of its authority"),
        ({"sslmode": "verify-full", "host": "127.0.0.1"}, "by the name in the certificate"),
    ],
    ids=["without TLS", "unknown authority", "another name"],
)
def test_a_way_that_tls_forbids_is_told_with_the_fix(
    tls: str, certificate: Mapping[str, Path], options: dict[str, str], said: str
) -> None:
    given = {"sslrootcert": str(certificate["certificate"]), **options}

    with pytest.raises(DatabaseUnreachable, match=said):
        check_reachable(with_options(tls, **given))


def test_a_server_without_tls_says_so(port: int) -> None:
    url = f"postgresql://words@127.0.0.1:{port}/postgres?sslmode=require"

    with pytest.raises(
        DatabaseUnreachable, match="turn SSL on in that server, or take sslmode out"
    ):
        check_reachable(database_url(url))
