"""The benchmark of the pages measures what it says, in small studies."""

import pytest

from benchmarks.dashboard.reading import database
from benchmarks.dashboard.scene import scene
from benchmarks.engine.lab import Lab, Sizes
from benchmarks.engine.study import STUDY
from storage.rows import Outcome

SIZE = 20


@pytest.fixture(scope="module")
def lab(database_server: str, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A lab with tiny studies on the session's Postgres."""
    sizes = Sizes(none=SIZE, small=SIZE, middle=SIZE, large=SIZE)
    return Lab(url=database_server, home=tmp_path_factory.mktemp("lab"), sizes=sizes, trials=2)


def test_a_scene_has_ended_trials_of_every_kind_and_workers_in_the_middle_of_others(
    lab: Lab,
) -> None:
    with scene(lab, SIZE, workers=3) as played:
        ended = played.end()
        look = played.store.look(STUDY.name)

    assert look.outcomes == {Outcome.FINISHED: 13, Outcome.PRUNED: 6, Outcome.DIVERGED: 2}
    assert [worker.trial for worker in look.workers] == [20, 23, 22]
    assert ended.claim.number == 23
    assert sum(trial.last is not None for trial in look.running) == 2


@pytest.mark.slow
def test_an_update_is_measured_beside_optuna_dashboards(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each waits 11 s, until optuna-dashboard's last answer is too old for it.
    monkeypatch.setattr("benchmarks.dashboard.reading.POLLS", 1)
    figures = {figure.at: figure for figure in database(lab)}

    nothing, *_, ended = (figure.beside["statements"] for figure in figures.values())
    assert 0 < nothing < ended
    assert all(figure.beside["plain_server_cpu_ms"] > 0 for figure in figures.values())
