"""The address of messages: from the environment or a file, and never shown whole."""

from pathlib import Path

import pytest

from search.errors import UsageError
from search.notify.webhook import Webhook, read_webhook
from search.settings import read_settings

URL = "https://hooks.example.org/T0/secret-path"


def read(**environment: str) -> Webhook | None:
    return read_webhook(read_settings(environment))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "webhook"
    path.touch(mode=0o600)
    return path


def test_without_a_variable_nobody_is_told() -> None:
    assert read() is None


def test_address_and_secret_come_from_the_environment() -> None:
    assert read(SEARCH_WEBHOOK=URL, SEARCH_WEBHOOK_SECRET=" s3cret\n") == Webhook(URL, "s3cret")
    assert read(SEARCH_WEBHOOK=URL) == Webhook(URL)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"{URL}\ns3cret\n", "s3cret"),
        (f"\n{URL}\r\n  s3cret", "s3cret"),
        (f"url: {URL}\nsecret: s3:cret\n", "s3:cret"),
        (f"secret: s3cret\nurl: {URL}\n", "s3cret"),
        (URL, ""),
        (f"url:{URL}", ""),
    ],
)
def test_or_from_a_file(file: Path, text: str, secret: str) -> None:
    file.write_text(text)
    assert read(SEARCH_WEBHOOK_FILE=str(file)) == Webhook(URL, secret)


def test_a_secret_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(UsageError, match="SEARCH_WEBHOOK_SECRET is no text in UTF-8"):
        read(SEARCH_WEBHOOK=URL, SEARCH_WEBHOOK_SECRET="pass\udcfcword")


@pytest.mark.parametrize("text", ["", "\n", "secret: s3cret", f"{URL}\na\nb"])
def test_a_file_without_these_two_lines_is_refused(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(UsageError, match="has no address and secret"):
        read(SEARCH_WEBHOOK_FILE=str(file))


def test_a_file_that_others_may_read_is_refused_with_the_command_that_mends_it(file: Path) -> None:
    file.write_text(URL)
    file.chmod(0o640)
    with pytest.raises(UsageError, match=f"other users may open {file}; chmod 600 {file}"):
        read(SEARCH_WEBHOOK_FILE=str(file))


def test_a_file_that_is_not_there_is_refused(file: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file or directory"):
        read(SEARCH_WEBHOOK_FILE=f"{file}-of-nobody")


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"SEARCH_WEBHOOK": URL, "SEARCH_WEBHOOK_FILE": "/x"}, "are both set; unset one"),
        ({"SEARCH_WEBHOOK_SECRET": "x"}, "set without an address; set SEARCH_WEBHOOK"),
    ],
)
def test_settings_that_do_not_fit_are_refused(environment: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read(**environment)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/secret-path",
        "https://hooks.example.org/secret-path\x7f",
        "https://hooks.example.org/secret-path-ä",
        "http://192.168.0.9/secret-path",
        "ftp://hooks.example.org/secret-path",
        "file:///etc/secret-path",
        "hooks.example.org/secret-path",
        "https:///secret-path",
        "https://me:secret@hooks.example.org/",
        "https://hooks.example.org:secret-path",
        "https://hooks.example.org/secret path",
        "https://[secret-path",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(UsageError, match=r"SEARCH_WEBHOOK (is|has) ") as refused:
        read(SEARCH_WEBHOOK=url)
    assert "secret" not in str(refused.value).replace("the secret signs", "")


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost", "[::1]:9000", "127.9.9.9"])
def test_this_machine_may_be_told_without_encryption(host: str) -> None:
    assert read(SEARCH_WEBHOOK=f"http://{host}/x") == Webhook(f"http://{host}/x")


def test_neither_address_nor_secret_is_in_a_listing_of_the_settings() -> None:
    settings = read_settings({"SEARCH_WEBHOOK": URL, "SEARCH_WEBHOOK_SECRET": "s3cret"})
    listed = f"{settings} {read_webhook(settings)}"
    assert "secret-path" not in listed
    assert "s3cret" not in listed


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SEARCH_WEBHOK", "SEARCH_WEBHOOK"),
        ("SEARCH_WEBHOOK_URL", "SEARCH_WEBHOOK"),
        ("SEARCH_WEBHOOK_SECRETS", "SEARCH_WEBHOOK_SECRET"),
        ("SEARCH_WEBHOOKFILE", "SEARCH_WEBHOOK_FILE"),
    ],
)
def test_a_misspelt_variable_is_refused(name: str, meant: str) -> None:
    with pytest.raises(UsageError, match=rf"did you mean {meant}\?"):
        read_settings({name: "x"})
