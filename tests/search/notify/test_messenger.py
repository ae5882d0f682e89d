"""Messages on their way to a real HTTP server that fails, hangs, redirects and answers late."""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dashboards.analysis.snapshot import Snapshot, read_snapshot
from search.notify import delivery, messenger
from search.notify.message import Event, Message, write
from search.notify.messenger import Messenger
from search.notify.webhook import Webhook
from storage.locks import wait_until
from storage.store import Claim, Store
from tests.search.notify.conftest import HANGS, Receiver
from tests.storage.samples import ended, finished

PATIENCE_SECONDS = 20
DOCS = Path(__file__).parents[3] / "docs" / "operations.md"
Start = Callable[..., Messenger]


@pytest.fixture(autouse=True)
def quick_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once, three times."""
    monkeypatch.setattr(messenger, "PAUSES_SECONDS", (0.01, 0.01, 0.01))


@pytest.fixture
def start(receiver: Receiver, tmp_path: Path) -> Iterator[Start]:
    """Start a messenger to the receiver, or to another address."""
    with ExitStack() as ending:

        def start(url: str | None = None, secret: str = "") -> Messenger:
            webhook = Webhook(url or receiver.url, secret)
            return ending.enter_context(messenger.messenger(webhook, lambda _: tmp_path))

        yield start


@pytest.fixture
def message(snapshot: Snapshot) -> Message:
    return write(Event.FINISHED, snapshot, "2", "{study} is finished.")


def genuine() -> Callable[[str, Any, bytes], bool]:
    """Return the check that the docs give to receivers."""
    (code,) = re.findall(r"```python\n(import hashlib.*?)```", DOCS.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["is_genuine"]


def test_a_receiver_can_check_who_sent_a_message_and_when(
    start: Start, receiver: Receiver, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(secret="s3cret").tell(message)
    assert wait_until(lambda: bool(receiver.got), PATIENCE_SECONDS)
    _, headers, body = receiver.got[0]
    is_genuine = genuine()

    assert headers["Content-Type"] == "application/json"
    assert is_genuine("s3cret", headers, body)
    assert not is_genuine("another", headers, body)
    assert not is_genuine("s3cret", headers, body + b" ")
    in_ten_minutes = time.time() + 600
    monkeypatch.setattr(time, "time", lambda: in_ten_minutes)
    assert not is_genuine("s3cret", headers, body)


def test_a_message_without_a_secret_is_not_signed(
    start: Start, receiver: Receiver, message: Message
) -> None:
    start().tell(message)
    assert wait_until(lambda: bool(receiver.got), PATIENCE_SECONDS)
    assert "X-Search-Signature" not in receiver.got[0][1]


def test_a_receiver_that_fails_is_asked_again_with_the_same_message(
    start: Start, receiver: Receiver, message: Message
) -> None:
    receiver.answers = [500, 429, 200]
    start().tell(message)
    assert wait_until(lambda: len(receiver.got) == 3, PATIENCE_SECONDS)
    assert {each["id"] for each in receiver.messages} == {message.id}


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_receiver_that_refuses_is_not_asked_again(
    start: Start, receiver: Receiver, message: Message, status: int
) -> None:
    receiver.answers = [status]
    ours = start()
    ours.tell(message)
    ours.close()
    assert len(receiver.got) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, message: Message, status: int) -> None:
    receiver.answers = [status]
    with pytest.raises(delivery.NotDelivered, match=f"redirects \\({status}\\)") as refused:
        delivery.deliver(Webhook(receiver.url), message.body())
    assert refused.value.is_final
    assert [path for path, *_ in receiver.got] == ["/hook/secret-path"]


def test_a_receiver_that_hangs_delays_neither_a_message_nor_the_end(
    start: Start, receiver: Receiver, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messenger, "END_SECONDS", 0.2)
    receiver.answers = [HANGS]
    ours, started = start(), time.monotonic()
    ours.tell(message)
    told = time.monotonic() - started
    assert wait_until(lambda: bool(receiver.got), PATIENCE_SECONDS)
    ours.close()
    # Far below the ten seconds after which a try is over.
    assert told < delivery.TIMEOUT_SECONDS / 2
    assert time.monotonic() - started < delivery.TIMEOUT_SECONDS


def test_a_receiver_that_does_not_answer_in_time_is_asked_again(
    start: Start, receiver: Receiver, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "TIMEOUT_SECONDS", 0.1)
    receiver.answers = [HANGS, 200]
    start().tell(message)
    assert wait_until(lambda: len(receiver.got) == 2, PATIENCE_SECONDS)


def test_the_end_of_a_run_waits_for_a_receiver_that_comes_back(
    start: Start, receiver: Receiver, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messenger, "PAUSES_SECONDS", (60,))
    receiver.answers = [503]
    ours = start()
    ours.tell(message)
    assert wait_until(lambda: len(receiver.got) == 1, PATIENCE_SECONDS)
    ours.close()  # ends the pause of a minute
    assert len(receiver.got) == 2


def test_a_dead_receiver_is_given_up_and_the_log_names_its_host_alone(
    start: Start, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    ours = start("http://127.0.0.1:1/hook/secret-path", "s3cret")
    ours.tell(message)
    ours.close()
    assert "message finished is given up: 127.0.0.1:1: [Errno 111] Connection refused" in (
        caplog.messages
    )
    assert "secret" not in caplog.text


def test_a_delivered_event_is_not_sent_by_the_next_run(
    start: Start, receiver: Receiver, message: Message, tmp_path: Path
) -> None:
    for _ in range(2):
        ours = start()
        ours.tell(message)
        ours.close()
    assert len(receiver.got) == 1
    assert json.loads((tmp_path / "messages.json").read_text()) == [message.id]


def test_two_processes_of_a_home_send_an_event_once_however_late(
    start: Start, receiver: Receiver, message: Message
) -> None:
    receiver.answers = [503, 503]
    both = [start(), start()]
    for ours in both:
        ours.tell(message)
    for ours in both:
        ours.close()
    assert len(receiver.got) == 3  # two that failed


def test_an_event_that_no_receiver_took_is_sent_by_the_next_run(
    start: Start, receiver: Receiver, message: Message
) -> None:
    receiver.answers = [404]
    for _ in range(2):
        ours = start()
        ours.tell(message)
        ours.close()
    assert len(receiver.got) == 2


def test_a_file_that_cannot_be_written_is_one_line_in_the_log(
    receiver: Receiver, message: Message, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    with (
        caplog.at_level(logging.WARNING),
        messenger.messenger(Webhook(receiver.url), lambda _: tmp_path / "file") as ours,
    ):
        ours.tell(message)
    assert len(receiver.got) == 1
    assert "this message may be sent again" in caplog.messages[0]


def test_a_message_holds_counts_and_the_best_value_and_nothing_else(study: Store) -> None:
    for value in (0.25, None):
        claim = study.claim("toy", "ada", lease_seconds=30)
        assert isinstance(claim, Claim)
        end = ended("FAIL", "code_error", "/data/patient-7.png") if value is None else None
        study.tell(claim, end or finished(0.25))
    now = read_snapshot(study, "toy")
    message = json.loads(write(Event.FINISHED, now, "2", "{study} is finished.").body())

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", message.pop("at"))
    assert re.fullmatch("[0-9a-f]{16}", message.pop("id"))
    assert message == {
        "event": "finished",
        "study": "toy",
        "trials": {"ended": 2, "total": 2},
        "outcomes": {"finished": 1, "code_error": 1},
        "best": {"number": 0, "metric": "val_loss", "value": 0.25},
        "practice": False,
        "text": "toy is finished.",
    }


def test_an_infinite_best_value_is_still_json(study: Store) -> None:
    claim = study.claim("toy", "ada", lease_seconds=30)
    assert isinstance(claim, Claim)
    study.tell(claim, finished(float("inf")))
    now = read_snapshot(study, "toy")
    message = json.loads(write(Event.FINISHED, now, "", "").body(), parse_constant=pytest.fail)
    assert message["best"]["value"] is None
