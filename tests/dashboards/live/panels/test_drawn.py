"""Curves, attempts and events of a study, as its page draws them."""

import math
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dashboards.analysis.overview import Overview, OverviewReader
from dashboards.live.panels.curves import Curves, curves
from dashboards.live.panels.events import events
from dashboards.live.render import panels
from dashboards.live.view import View
from search.worker.worker import Worker
from spaces.params import Float, Int
from spaces.study import Pruning
from storage.rows import HandBackReason
from storage.store import Claim, Store
from tests.search.toy_worker import attempt, make_worker
from tests.storage.samples import ended, finished, new_worker

HOSTILE = "<script>alert(1)</script>"
SPACE = [Float("learning_rate", 1e-5, 1.0, log=True), Int("epochs", 2, 9)]


@pytest.fixture
def store(database_url: str) -> Any:
    with Store.open(database_url) as store:
        yield store


@pytest.fixture
def worker(store: Store, tmp_path: Path) -> Worker:
    fixed = {"seconds_per_epoch": 0.0}
    return make_worker(store, tmp_path, space=SPACE, fixed=fixed, trials=30)


@pytest.fixture
def look(store: Store, tmp_path: Path) -> Callable[[], Overview]:
    reader = OverviewReader(store, "toy", str(tmp_path))
    return reader.read


def begin(store: Store, worker: Worker, *values: float, name: str = "box-1-aaaaaa") -> Claim:
    """Begin a trial as a worker of that name, and record values of 1 minute an epoch."""
    store.register_worker("toy", new_worker(name, host="box", device="cuda", machine={"gpu": "0"}))
    claim = store.claim("toy", name, lease_seconds=30)
    assert isinstance(claim, Claim)
    with store.trial(claim) as trial:
        worker.study.space.suggest(trial)
    for epoch, value in enumerate(values, start=1):
        store.record(claim, epoch, {"val_loss": value}, value, seconds=60.0, images=1)
    return claim


def drawn(overview: Overview, **view: Any) -> Curves:
    return curves(overview, View(**view))


def test_before_the_first_epoch_the_curves_say_so(
    store: Store, worker: Worker, look: Callable[[], Overview]
) -> None:
    assert "No curve yet" in drawn(look()).empty
    begin(store, worker)
    assert "No epoch yet" in drawn(look()).empty


def test_one_epoch_is_a_point_with_its_label(
    store: Store, worker: Worker, look: Callable[[], Overview]
) -> None:
    claim = begin(store, worker, 0.7)
    panel = drawn(look())
    (end,) = panel.ends
    assert re.fullmatch(r"#0 1/\d", f"{end.text} {end.sub}")
    assert 0 < end.x <= 50
    assert panel.rows[0].value == "0.7000"
    store.tell(claim, finished(0.7))
    assert [line.tone for line in drawn(look()).lines] == ["best"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_no_numbers_are_gaps(
    store: Store, worker: Worker, look: Callable[[], Overview], value: float
) -> None:
    begin(store, worker, 0.9, value, 0.7)
    panel = drawn(look())
    assert panel.lines[0].d.count("M") == 2
    begin(store, worker, value, name="box-2-bbbbbb")
    assert len(drawn(look()).lines) == 1  # the other one has nothing to draw


def test_a_trial_far_off_stands_at_the_edge_and_does_not_flatten_the_rest(
    store: Store, worker: Worker, look: Callable[[], Overview]
) -> None:
    begin(store, worker, 0.9, 0.8, 0.7, 0.6)
    begin(store, worker, 0.9, 1e9, name="box-2-bbbbbb")
    panel = drawn(look())
    good, bad = sorted(panel.ends, key=lambda end: end.number)
    assert bad.y < good.y - 100
    assert "1.000e" in bad.title or "1e" in bad.title


def test_a_curve_that_was_asked_for_is_in_sight_however_bad(
    store: Store, worker: Worker, tmp_path: Path
) -> None:
    reader = OverviewReader(store, "toy", str(tmp_path))
    reader.read()
    begin(store, worker, *(1 - epoch / 20 for epoch in range(9)))
    begin(store, worker, 9.0, 90.0, name="box-2-bbbbbb")
    (far,) = (end for end in drawn(reader.read()).ends if end.number == 1)
    reader.ask(1)
    (near,) = (end for end in drawn(reader.read(), t=1).ends if end.number == 1)
    assert far.y == 8
    assert near.y > 12


def test_ends_that_meet_have_labels_apart(
    store: Store, worker: Worker, look: Callable[[], Overview]
) -> None:
    for place in range(5):
        begin(store, worker, 0.9, 0.7, name=f"box-{place}-aaaaaa")
    heights = sorted(end.label_y for end in drawn(look()).ends)
    assert min(after - before for before, after in pairwise(heights)) >= 16
    assert len({(end.place, end.y) for end in drawn(look()).ends}) == 5


def test_minutes_and_epochs_align_the_same_curve_elsewhere(
    store: Store, worker: Worker, look: Callable[[], Overview]
) -> None:
    begin(store, worker, 0.9, 0.7)
    overview = look()
    assert drawn(overview, align="minutes").ends[0].x == 100
    by_epoch, unknown = drawn(overview, align="epoch"), drawn(overview, metric="no_such")
    assert by_epoch.axes
    first, *others = [text for _, text in by_epoch.axes.x_ticks]
    assert first == "epoch"
    assert all(text.isdecimal() for text in others)
    assert unknown.axes == drawn(overview).axes


def test_a_finished_study_has_its_best_a_band_and_a_limit(
    store: Store, tmp_path: Path, look: Callable[[], Overview]
) -> None:
    median = Pruning("median")
    changes = {"space": SPACE, "fixed": {"seconds_per_epoch": 0.0}, "trials": 30}
    worker = make_worker(store, tmp_path, pruning=median, **changes)
    for _ in range(12):
        attempt(worker)
    panel = drawn(look())
    assert {"best", "ref"} == {line.tone for line in panel.lines}
    assert panel.band
    assert panel.limit
    assert panel.limit_word == "pruned above this"
    assert not drawn(look(), metric="train_loss").limit
    assert "stands under" in panel.note


def test_running_trials_have_dashes_at_the_rungs_where_they_are_pruned(
    store: Store, tmp_path: Path, look: Callable[[], Overview]
) -> None:
    fixed = {"seconds_per_epoch": 0.0, "epochs": 9}  # two epochs have no rung
    worker = make_worker(store, tmp_path, space=SPACE[:1], fixed=fixed, trials=30)
    for _ in range(6):
        attempt(worker)
    assert not drawn(look()).limit
    begin(store, worker, 0.9)
    panel = drawn(look())
    assert panel.limit.count("M") >= 1
    assert panel.limit_word == "pruned above this at a rung"


def test_the_drawing_is_the_same_until_something_changes(
    store: Store, worker: Worker, look: Callable[[], Overview]
) -> None:
    attempt(worker)
    begin(store, worker, 0.7)
    before, after = panels(look(), View()), panels(look(), View())
    for name in ("curves", "events"):
        assert before[name] == after[name]


@pytest.mark.parametrize(
    ("code", "why"), [(-9, " by SIGKILL"), (70, f" with exit code 70: no room left {HOSTILE}")]
)
def test_a_death_is_a_cross_in_the_lane_of_its_place(
    store: Store, worker: Worker, look: Callable[[], Overview], code: int, why: str
) -> None:
    begin(store, worker, 0.9)
    store.end_leases("box-1-aaaaaa", HandBackReason.KILLED)
    store.worker_ended("box-1-aaaaaa", code, f"no room left {HOSTILE}")
    begin(store, worker, name="box-1-bbbbbb")
    overview = look()
    html = panels(overview, View())
    assert html["attempts"].count('class="cross"') == 1
    assert (
        html["attempts"].count("box · GPU 0</text>") + html["attempts"].count("box · GPU 0<title>")
        == 1
    )
    told = [event.text for event in events(overview, View()).events if event.trial == 0]
    assert told == [f"went on as attempt 2; its worker on box · GPU 0 was killed{why}"]
    assert "<script" not in html["events"]


def test_a_trial_whose_gpu_was_lost_says_which(
    store: Store, worker: Worker, look: Callable[[], Overview]
) -> None:
    begin(store, worker, 0.9)
    store.end_leases("box-1-aaaaaa", HandBackReason.DEVICE_LOST)
    store.worker_ended("box-1-aaaaaa", 76, "GPU 0 of box is lost: CUDA sees no device")
    begin(store, worker, name="box-1-bbbbbb")
    told = [event.text for event in events(look(), View()).events if event.trial == 0]
    assert told == [
        "went on as attempt 2; its worker on box · GPU 0 lost its GPU:"
        " GPU 0 of box is lost: CUDA sees no device"
    ]


def test_a_trial_that_a_person_ended_is_told_as_such(
    store: Store, worker: Worker, look: Callable[[], Overview]
) -> None:
    begin(store, worker, 0.9)
    store.end_trial("toy", 0)
    told = [event.text for event in events(look(), View()).events if event.trial == 0]
    assert told == ["ended by a person"]


def test_the_usual_ends_are_listed_only_where_all_are_asked_for(
    store: Store, worker: Worker, look: Callable[[], Overview]
) -> None:
    attempt(worker)
    claim = begin(store, worker, 5.0)
    store.tell(claim, ended("PRUNED", "pruned"))
    claim = begin(store, worker)
    store.tell(claim, ended("FAIL", "diverged", "val_loss nan\nin epoch 3"))
    overview = look()
    told = [f"{event.trial} {event.text}" for event in events(overview, View()).events]
    assert told[0] == "2 diverged: val_loss nan in epoch 3"
    assert any(text.startswith("0 new best") for text in told)
    every = [event.text for event in events(overview, View(events="all")).events]
    assert [text for text in every if text not in " ".join(told)] == ["pruned"]
