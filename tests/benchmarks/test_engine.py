"""The benchmark of the engine measures what it says, in small studies."""

import optuna
import pytest

from benchmarks.engine.cold import fresh
from benchmarks.engine.crew import crew
from benchmarks.engine.lab import Lab, Sizes
from benchmarks.engine.steps import PARTS, steps_at
from benchmarks.engine.study import EPOCHS, PLAIN, STUDY, our_worker
from benchmarks.engine.trial import trips_at, unfinished
from benchmarks.figures import Middle, Target, exactly, middle, ratio
from storage.store import Store

SIZES = Sizes(none=12, small=12, middle=12, large=12)


@pytest.fixture(scope="module")
def lab(database_server: str, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A lab with tiny studies on the session's Postgres."""
    home = tmp_path_factory.mktemp("lab")
    return Lab(url=database_server, home=home, sizes=SIZES, trials=2, rounds=1, seconds=0.2)


def test_a_copy_has_as_many_trials_as_asked_for_on_both_sides(lab: Lab) -> None:
    with lab.copy(12, running=3) as place, Store.open(place.url) as store:
        rows = store.trials(STUDY.name)
        plain = optuna.load_study(study_name=PLAIN, storage=store.optuna_storage).trials

    assert [row.number for row in rows] == [trial.number for trial in plain] == list(range(15))
    assert [row.state for row in rows] == ["COMPLETE"] * 12 + ["RUNNING"] * 3
    assert all(row.is_leased for row in rows[12:])
    assert all(STUDY.space.is_whole(row.params) for row in rows)
    assert all(len(trial.intermediate_values) == EPOCHS for trial in plain[:12])


def test_a_trial_takes_sixteen_round_trips_at_most(lab: Lab) -> None:
    counted, slow = trips_at(lab, 12)

    assert counted.value.median <= 16 < 100 < counted.beside["plain"]
    assert counted.value.median == counted.beside["statements"]
    assert slow.value.low >= counted.value.median * 0.005  # the delay is real


def test_the_same_is_measured_beside_unfinished_trials_and_without(lab: Lab) -> None:
    (figure,) = unfinished(lab)

    assert figure.at == "12 unfinished beside 12 trials"
    assert figure.value.of == 2
    assert min(figure.beside.values()) > 0


def test_the_parts_of_a_trial_add_up_to_its_round_trips(lab: Lab) -> None:
    parts = list(steps_at(lab, 12))
    trips = {figure.name.split()[-1]: figure.beside["trips"] for figure in parts}

    assert trips["claim"] == trips["beat"] == 1
    assert sum(PARTS[name] * trips[name] for name in PARTS if name != "beat") <= 16


def test_several_processes_work_on_one_study(lab: Lab) -> None:
    with lab.copy(12) as place, crew(2) as workers, Store.open(place.url) as store:
        rate = workers.work("our draws", place, 2, 0.2)

        ended = [trial for trial in store.trials(STUDY.name) if trial.worker is not None]
    assert rate > 0
    assert len(ended) >= 4


def test_a_fresh_process_reports_its_time_and_memory(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lab.copy(12) as place, our_worker(place) as worker:
        first = fresh("ours", place.url, str(place.home))
        monkeypatch.setenv("SEARCH_DATABASE_URL", place.url)
        monkeypatch.setenv("SEARCH_HOME", str(place.home))
        status = fresh("status", "--study", STUDY.name, "--json")

        (begun,) = [row for row in worker.store.trials(STUDY.name) if row.state == "RUNNING"]
    assert STUDY.space.is_whole(begun.params)
    assert first["server_ms"] > 0
    assert all(each["seconds"] > 0 and each["peak_mb"] > 20 for each in (first, status))


def test_a_median_has_the_interval_of_its_order_statistics() -> None:
    # Of nine values the second and the eighth: 1 - 2 * (1 + 9) / 2**9 = 96 %.
    assert middle(range(1, 10)) == Middle(median=5, low=2, high=8, of=9)
    assert middle([3, 1, 2]) == Middle(median=2, low=1, high=3, of=3)
    assert ratio([(2, 4), (3, 4), (4, 4)]).median == 0.75


@pytest.mark.parametrize(
    ("low", "high", "most", "least"),
    [
        (1, 2, "reached", "missed"),
        (4, 5, "missed", "reached"),
        (2, 4, "inside the noise", "inside the noise"),
    ],
)
def test_a_verdict_needs_the_whole_interval_on_one_side(
    low: float, high: float, most: str, least: str
) -> None:
    measured = Middle(median=(low + high) / 2, low=low, high=high, of=9)

    assert Target(3).verdict(measured) == most
    assert Target(3, is_least=True).verdict(measured) == least
    assert Target(16).verdict(exactly(16)) == "reached"
