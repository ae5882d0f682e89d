"""Nobody on another machine is let in without a token, and none crosses a network in clear."""

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dashboards.door.entrance import Certificate, Entrance, EntranceError, check_entrance
from dashboards.door.port import PortError, listen
from search.cli import main
from tests.dashboards.door.attackers import VIEWER, WRITER, log_in, own
from tests.dashboards.door.conftest import TOKENS

Served = Callable[..., str]
ENCRYPTED = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.9.9.9"}


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """A certificate of this machine, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
    )
    file, key_file = tmp_path / "cert.pem", tmp_path / "key.pem"
    pem = serialization.Encoding.PEM
    file.write_bytes(built.sign(key, hashes.SHA256()).public_bytes(pem))
    form, clear = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(pem, form, clear))
    return Certificate(file, key_file)


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    """A file with a token for viewers and one for writers."""
    file = tmp_path / "tokens"
    file.touch(0o600)
    file.write_text(f"viewer: {VIEWER}\nwriter: {WRITER}\n")
    return str(file)


def line_of(words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The line with which `search dashboard` refuses to start."""
    assert main(["dashboard", "--port", "0", *words]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_off_this_machine_a_token_and_tls_are_needed(
    host: str,
    token_file: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path / "home"))

    without_token = line_of(["--host", host], capsys)
    without_tls = line_of(["--host", host, "--token-file", token_file], capsys)

    assert "other machines could read every study; add --token-file FILE" in without_token
    assert "the token would cross the network in clear; add --certfile" in without_tls
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (
            ["--host", "no.such.host.invalid"],
            "'no.such.host.invalid' is no address of this machine",
        ),
        (["--host", "192.0.2.1"], "this machine has no address 192.0.2.1; give --host one that"),
        (["--host", ""], "--host"),
        (["--certfile", "cert.pem"], "give --certfile and --keyfile"),
        (["--certfile", "no.pem", "--keyfile", "no.key"], "give two files that you can read"),
        (["--behind-proxy"], "behind a proxy nobody's user is known; add --token-file"),
        (["--behind-proxy", "nginx"], "--behind-proxy 'nginx' is no address"),
        (["--token-file", "no.tokens"], "write it with `search dashboard --new-token-file"),
        (["--allow-host", "http://box/"], "--allow-host"),
    ],
)
def test_an_option_that_cannot_be_is_one_line_with_the_fix(
    words: list[str],
    found: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    line = line_of(words, capsys)

    assert found in line
    assert line.count("\n") == 1


def test_a_certificate_of_another_key_or_with_a_passphrase_is_refused(
    certificate: Certificate, tmp_path: Path
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    other = tmp_path / "other.pem"
    with listen(0) as listener:
        for protection, found in (
            (serialization.NoEncryption(), "are not a certificate and its key"),
            (serialization.BestAvailableEncryption(b"secret"), "has a passphrase"),
        ):
            form = serialization.PrivateFormat.PKCS8
            other.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, protection))
            entrance = Entrance(certificate=Certificate(certificate.file, other))
            with pytest.raises(EntranceError, match=found):
                check_entrance(entrance, listener)


def test_under_tls_the_cookie_never_leaves_it(served: Served, certificate: Certificate) -> None:
    trusted = ssl.create_default_context(cafile=certificate.file)
    address = served(tokens=TOKENS, certificate=certificate)
    with httpx.Client(base_url=address, verify=trusted, timeout=30) as client:
        cookie = log_in(client, VIEWER).headers["set-cookie"]
        assert client.get("/").json()["role"] == "viewer"

    assert address.startswith("https://127.0.0.1:")
    assert cookie.startswith("__Host-search=")
    assert "Secure" in cookie


def test_behind_a_proxy_only_what_it_encrypts_is_answered(served: Served) -> None:
    address = served(tokens=TOKENS, proxy="127.0.0.1", names=frozenset({"box.example"}))
    outside = {"Host": "box.example", **ENCRYPTED}
    with httpx.Client(base_url=address, timeout=30) as proxy:
        clear = proxy.get("/login")
        form = {"token": WRITER}
        origin = own(proxy) | outside | {"Origin": "https://box.example"}
        cookie = proxy.post("/login", data=form, headers=origin).headers["set-cookie"]
        page = proxy.get("/", headers=outside | {"Cookie": cookie.partition(";")[0]})

    assert (clear.status_code, "X-Forwarded-Proto" in clear.json()["reason"]) == (403, True)
    assert cookie.startswith("__Host-search=")
    assert page.json()["visitor"] == "writer at 10.9.9.9"


def test_nobody_but_the_proxy_is_answered(served: Served) -> None:
    address = served(tokens=TOKENS, proxy="192.0.2.7")

    refused = httpx.get(address, headers=ENCRYPTED)

    assert (refused.status_code, "its proxy only" in refused.json()["reason"]) == (403, True)


def test_on_every_address_a_dashboard_answers_at_each_under_its_own_name(
    served: Served, certificate: Certificate
) -> None:
    address = served("0.0.0.0", tokens=TOKENS, certificate=certificate)
    port = address.rpartition(":")[2]
    with httpx.Client(verify=False, timeout=30) as client:
        for host, expected in (
            ("127.0.0.2", 401),
            (f"127.0.0.2:{port}", 401),
            (socket.gethostname(), 401),
            ("127.0.0.3", 400),
            ("evil.example", 400),
        ):
            answer = client.get(f"https://127.0.0.2:{port}/", headers={"Host": host})
            assert (host, answer.status_code) == (host, expected)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_a_socket_for_both_families_knows_its_neighbours(served: Served) -> None:
    port = served("::1").rpartition(":")[2]

    assert httpx.get(f"http://[::1]:{port}/").json()["role"] == "writer"


def test_two_dashboards_cannot_have_one_port_whatever_their_hosts() -> None:
    with listen(0) as first, pytest.raises(PortError, match="is in use"):
        listen(first.getsockname()[1], "0.0.0.0")


def test_a_new_file_of_tokens_is_written_and_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path / "home"))
    file = tmp_path / "tokens"

    assert main(["dashboard", "--new-token-file", str(file)]) == 0

    assert f"--token-file {file} " in capsys.readouterr().out
    assert [line.split(":")[0] for line in file.read_text().splitlines()] == ["viewer", "writer"]
    assert not (tmp_path / "home").exists()


@pytest.mark.slow
def test_the_tokens_of_the_environment_count_and_are_in_no_line_of_the_process(
    home: Path, database_url: str
) -> None:
    home.mkdir()
    variables = {
        "SEARCH_HOME": str(home),
        "SEARCH_DATABASE_URL": database_url,
        "SEARCH_DASHBOARD_TOKEN": f"writer: {WRITER}",
    }
    words = [sys.executable, "-P", "-m", "search.cli", "dashboard", "--port", "0"]
    with subprocess.Popen(
        words, env=os.environ | variables, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        address = process.stdout.readline().split()[-1]
        with httpx.Client(base_url=address, timeout=30) as client:
            assert client.get("/studies.json").status_code == 401
            known = {"Authorization": f"Bearer {WRITER}"}
            assert client.get("/studies.json", headers=known).status_code == 200
        process.terminate()
        assert WRITER not in process.stdout.read()
