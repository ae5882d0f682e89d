"""`search status` of a study of any length: a bounded table, or every trial as it is read."""

import io
import json
from itertools import islice
from pathlib import Path

import pytest
from rich.console import Console

from dashboards.analysis.frame import NEWEST, read_fields
from dashboards.analysis.json_text import list_text, object_text
from search.cli import main
from search.terminal.status import print_status
from search.worker.worker import Worker
from spaces.errors import StudyError
from storage.rows import HandBackReason, Outcome, TrialEnd
from storage.store import Claim, Store
from storage.trials import PAGE
from tests.conftest import execute
from tests.search.many_trials import copy_first_trial, rows_sent
from tests.search.toy_worker import attempt, make_worker, take
from tests.storage.samples import finished, new_worker, stock_study

MANY = 2 * PAGE + 50
WAYS = {"finished", "running", "waiting"}


@pytest.fixture
def worker(store: Store, tmp_path: Path) -> Worker:
    return make_worker(store, tmp_path, trials=1000)


@pytest.fixture
def many(worker: Worker) -> Worker:
    """A study of many ended trials."""
    attempt(worker)
    copy_first_trial(worker.store, MANY - 1)
    return worker


def shown(store: Store, study: str | None = "toy", **how: bool) -> str:
    console = Console(file=io.StringIO(), width=300)
    with console.capture() as capture:
        print_status(store, study, as_json=how.pop("as_json", False), console=console, **how)
    return capture.get()


def table(told: str) -> dict[int, str]:
    """The lines of the trials, by number, in their order."""
    lines = [line for line in told.splitlines() if line.split()[1:2] and line.startswith(" ")]
    found = {line.split()[0]: line for line in lines if line.split()[1] in WAYS}
    return {int(number): line for number, line in found.items() if number.isdigit()}


def numbers(told: str) -> list[int]:
    return list(table(told))


def test_a_long_study_is_shown_with_its_newest_trials_and_the_way_to_the_others(
    many: Worker,
) -> None:
    told = shown(many.store)

    assert numbers(told) == list(range(MANY - NEWEST, MANY))
    assert f"{MANY}/1000 trials · {MANY} finished" in told
    left_out = MANY - NEWEST
    assert f"{left_out} more trials are not shown: see `search status --study toy --all`" in told


def test_a_running_trial_is_shown_however_old_it_is(worker: Worker) -> None:
    store, held = worker.store, take(worker)
    store.register_worker("toy", new_worker("v"))
    for _ in range(NEWEST + 1):
        claim = store.claim("toy", "v", lease_seconds=30)
        store.tell(claim, finished(0.5))

    told = shown(store)
    assert numbers(told) == [held.number, *range(2, NEWEST + 2)]
    assert "1 more trial is not shown" in told


def test_a_trial_without_a_worker_is_to_be_continued_and_not_running(worker: Worker) -> None:
    held = take(worker)
    assert shown(worker.store, None).splitlines()[1].split()[:3] == ["toy", "0/1000", "1"]

    worker.store.hand_back(held, HandBackReason.DRAINED)

    assert shown(worker.store, None).splitlines()[1].split()[:3] == ["toy", "0/1000", "0"]
    assert "to be continued" in shown(worker.store)


def test_a_study_of_another_version_hides_no_other_study(
    worker: Worker, tmp_path: Path, database_url: str
) -> None:
    make_worker(worker.store, tmp_path, name="newer")
    execute(
        database_url,
        "UPDATE search_service.studies ours SET definition ="
        """ jsonb_set(definition::jsonb, '{study,pruning}', '{"rule": "moon"}')"""
        " FROM studies s WHERE s.study_id = ours.study_id AND s.study_name = 'newer'",
    )

    lines = {line.split()[0]: line for line in shown(worker.store, None).splitlines()}
    assert "0/1000" in lines["toy"]
    assert "see `search status --study newer`" in lines["newer"]
    with pytest.raises(StudyError, match=r"'newer' cannot be read .*'moon'.*; use the version"):
        shown(worker.store, "newer")


def test_the_queue_leaves_room_for_the_trials_that_have_begun(worker: Worker) -> None:
    attempt(worker)
    study = stock_study(worker.store)
    for _ in range(NEWEST + 5):
        study.enqueue_trial({"learning_rate": 0.5})

    assert numbers(shown(worker.store)) == list(range(NEWEST))


def test_a_short_study_is_shown_whole(worker: Worker) -> None:
    attempt(worker)

    assert numbers(shown(worker.store)) == [0]
    assert "not shown" not in shown(worker.store)


def test_every_trial_is_shown_on_request(many: Worker) -> None:
    told = shown(many.store, every_trial=True)

    assert numbers(told) == list(range(MANY))
    assert "not shown" not in told


def test_programs_get_every_trial_in_one_document_as_it_is_read(many: Worker) -> None:
    with rows_sent(many.store) as sent:
        whole = json.loads(shown(many.store, as_json=True))

    assert [trial["number"] for trial in whole["trials"]] == list(range(MANY))
    assert (whole["outcomes"], whole["best"]) == ({"finished": MANY}, 0)
    assert max(sent) == PAGE
    assert list(whole) == [
        "study",
        "state",
        "verdict",
        "is_practice",
        "skipped_checks",
        "accepted_versions",
        "test_uses",
        "outcomes",
        "best",
        "sampler",
        "pruning",
        "knowledge",
        "trials",
        "identical_trials",
        "workers",
    ]


def test_terminal_and_programs_say_the_same(many: Worker) -> None:
    store = many.store
    take(many)
    whole, told = json.loads(shown(store, as_json=True)), shown(store)
    by_number = {trial["number"]: trial for trial in whole["trials"]}

    assert f"{sum(whole['outcomes'].values())}/1000 trials" in told
    assert f"in trial {whole['best']}:" in told
    for number, line in table(told).items():
        assert (by_number[number]["outcome"] or "running") in line


def test_trials_that_go_on_while_they_are_written_are_told_as_they_were(worker: Worker) -> None:
    store, held = worker.store, take(worker)
    store.record(held, 1, {"val_loss": 0.5}, 0.5, seconds=1.0, images=10)
    store.register_worker("toy", new_worker("v"))
    stock_study(store).enqueue_trial({"learning_rate": 0.5})
    fields = read_fields(store, "toy")
    head = dict(islice(fields, 12))
    store.record(held, 2, {"val_loss": 0.4}, 0.4, seconds=1.0, images=10)
    store.tell(held, finished(0.4))
    for _ in range(2):
        assert isinstance(store.claim("toy", "v", lease_seconds=30), Claim)

    name, trials = next(fields)
    told = [(trial["state"], trial["attempts"], trial["last"]) for trial in trials]
    assert (head["outcomes"], head["best"], name) == ({}, None, "trials")
    assert told[0][:2] == ("RUNNING", 1)
    assert told[0][2].epoch == 1
    assert told[1] == ("WAITING", 0, None)


def test_programs_get_every_study_in_one_list(store: Store, tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_worker(store, tmp_path, name=name)

    studies = json.loads(shown(store, None, as_json=True))
    assert [each["study"]["name"] for each in studies] == ["one", "two"]


def test_the_json_is_valid_even_where_a_loss_is_not_a_number(worker: Worker) -> None:
    store, claim = worker.store, take(worker)
    store.record(claim, 1, {"val_loss": float("nan")}, float("nan"), seconds=1.0, images=10)
    shown_as = {"badges": "diverged, in parts of 16"}
    store.tell(
        claim, TrialEnd(state="PRUNED", value=None, outcome=Outcome.DIVERGED, shown=shown_as)
    )

    (trial,) = json.loads(shown(store, as_json=True), parse_constant=pytest.fail)["trials"]
    assert (trial["last"]["value"], trial["last"]["metrics"]) == (None, {"val_loss": None})
    assert trial["ended_at"].endswith("+00:00")
    assert trial["badges"] == ["diverged", "in parts of 16"]


@pytest.mark.parametrize("items", [[], [1], [1, {"a": [None, "}"]}]], ids=len)
def test_the_text_of_an_object_is_json_with_any_number_of_items(items: list[object]) -> None:
    fields = {"first": {"a": [1, 2]}, "items": items}
    streamed = object_text(
        (key, iter(value) if key == "items" else value) for key, value in fields.items()
    )
    assert json.loads("".join(streamed)) == fields
    listed = list_text([json.dumps(item)] for item in items)
    assert json.loads("".join(listed)) == items


def test_all_trials_are_those_of_one_study(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--all"]) == 2
    assert capsys.readouterr().err.rstrip().endswith("name it with --study")
