"""What a watched page costs: statements, rows and drawing, and nothing once nobody looks."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from dashboards.analysis.listing import StudiesReader
from dashboards.analysis.overview import Overview, OverviewReader
from dashboards.live import render, watch
from dashboards.live.view import View
from storage.store import Store
from tests.search.many_trials import copy_first_trial, rows_sent
from tests.search.toy_worker import attempt, make_worker
from tests.storage.samples import new_study

TRIALS = 1000


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with Store.open(database_url) as store:
        yield store


def test_an_update_of_a_long_study_reads_a_few_rows(store: Store, tmp_path: Path) -> None:
    worker = make_worker(store, tmp_path, trials=2 * TRIALS)
    attempt(worker)
    copy_first_trial(store, TRIALS)
    reader = OverviewReader(store, "toy", str(tmp_path / "artifacts"))
    assert reader.read().snapshot.ended == TRIALS + 1

    with rows_sent(store) as idle:
        reader.read()
    assert (len(idle) <= 8, sum(idle) <= 10) == (True, True), idle

    attempt(worker)
    with rows_sent(store) as after_an_end:
        assert reader.read().snapshot.ended == TRIALS + 2
    assert (len(after_an_end) <= 20, sum(after_an_end) <= 100) == (True, True), after_an_end


def test_a_list_of_many_studies_reads_those_that_have_changed(store: Store, tmp_path: Path) -> None:
    make_worker(store, tmp_path)
    definition = store.study("toy").definition
    store.worker_ended("w", 0, "nothing left to do")
    for number in range(20):
        named = {**definition, "study": {**definition["study"], "name": f"other-{number}"}}
        store.create(new_study(f"other-{number}", definition=named))
    reader = StudiesReader(store)
    first = reader.read()

    with rows_sent(store) as quiet:
        assert reader.read() == first
    store.request_stop("other-3", "drain")
    with rows_sent(store) as changed:
        (line,) = (line for line in reader.read() if line not in first)
    assert (line.name, len(quiet)) == ("other-3", 2)
    assert len(changed) <= 2 + 12


@pytest.mark.parametrize("name", render.SOURCES)
def test_a_panel_is_made_of_its_sources_alone(name: str, store: Store, tmp_path: Path) -> None:
    attempt(make_worker(store, tmp_path))
    overview = OverviewReader(store, "toy", str(tmp_path / "artifacts")).read()
    sources = cast("tuple[Any, tuple[str, ...]]", render.SOURCES[name].__reduce__())[1]

    only = cast(Overview, Only(overview, {*sources, "study", "stored"}))
    assert render.PANELS[name](only, View()) == render.PANELS[name](overview, View())


def test_panels_whose_sources_are_the_same_are_not_drawn_again(
    store: Store, tmp_path: Path
) -> None:
    worker = make_worker(store, tmp_path)
    attempt(worker)
    reader = OverviewReader(store, "toy", str(tmp_path / "artifacts"))
    before, again = reader.read(), reader.read()
    assert not render.panels(again, View(), before).keys() & {"evidence", "history", "attempts"}

    attempt(worker)
    assert {"history", "attempts", "events"} <= render.panels(reader.read(), View(), before).keys()


def test_viewers_of_the_same_page_share_one_answer() -> None:
    page = watch.Watch("test", lambda: 1, lambda number, _, __: {"number": render.Markup(number)})
    whole = page.changes(View())
    assert page.changes(View()) is whole
    assert page.changes(View(), whole.version) is page.changes(View(), whole.version)
    assert page.changes(View(), whole.version).panels == {}


def test_a_page_is_read_no_more_once_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "EVERY_SECONDS", 0.02)
    monkeypatch.setattr(watch, "IDLE_SECONDS", 0.2)
    readings: list[float] = []
    page = watch.Watch("test", lambda: readings.append(time.monotonic()), lambda *_: {})

    with page.listening(lambda: None):
        time.sleep(0.5)
        assert not page.is_over
    for thread in threading.enumerate():
        if thread.name == "watch test":
            thread.join(10)
    left, count = page.is_over, len(readings)
    time.sleep(0.2)
    assert (left, len(readings)) == (True, count)


class Only:
    """An object with some of its attributes, written as `a.b.c`; any other one fails the test."""

    def __init__(self, whole: object, paths: set[str]) -> None:
        self._whole, self._paths = whole, paths

    def __getattr__(self, name: str) -> Any:
        rests = {
            rest for first, _, rest in (p.partition(".") for p in self._paths) if first == name
        }
        if not rests:
            pytest.fail(f"{name} is not among the sources")
        value = getattr(self._whole, name)
        return value if "" in rests else Only(value, rests)
