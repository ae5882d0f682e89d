"""The best third of a study's trials make the queue of another study."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dashboards.changes import set_total
from search.settings import Settings
from search.studies.create import store_study
from search.studies.overrides import Overrides
from search.studies.prepare import prepare
from search.terminal.status import print_status
from spaces.errors import StudyError
from spaces.found import Found
from spaces.params import Choice
from spaces.stored import StoredStudy, from_json
from spaces.study import Study
from storage.rows import Outcome, TrialEnd
from storage.store import Claim, Store, StudyRow
from tests.conftest import execute
from tests.storage.samples import finished, new_worker

TOY = """
from spaces.params import Choice, Float, Int
from spaces.study import Study
study = Study(name="toy", objective="toy_curve", metric="val_loss", direction="minimize", trials=9,
    space=[Float("learning_rate", 1e-5, 1.0, log=True), Int("epochs", 4, 10)])
"""
VALUES = (0.5, 0.2, 0.9, 0.1, 0.4, 0.3)
PRUNED = TrialEnd(state="PRUNED", value=None, outcome=Outcome.PRUNED)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(home=tmp_path, database_url=database_url)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with Store.open(database_url) as store:
        yield store


@pytest.fixture
def toy(tmp_path: Path) -> str:
    path = tmp_path / "toy.py"
    path.write_text(TOY)
    return str(path)


def put(store: Store, settings: Settings, overrides: Overrides) -> StudyRow:
    return store_study(prepare(overrides, settings), overrides, settings, store)


def screen(store: Store, settings: Settings, toy: str) -> list[dict[str, Any]]:
    """Store the study of the screening, end its trials, and return their values."""
    put(store, settings, Overrides(toy))
    store.register_worker("toy", new_worker())
    for end in (*map(finished, VALUES), PRUNED, PRUNED):
        claim = store.claim("toy", "ada", lease_seconds=30)
        assert isinstance(claim, Claim)
        with store.trial(claim) as trial:
            from_json(store.study("toy").definition).study.space.suggest(trial)
        store.tell(claim, end)
    return [dict(trial.params) for trial in store.trials("toy")]


def promote(toy: str, **more: Any) -> Overrides:
    given: dict[str, Any] = {"name": "toy-full", "promote": "toy", "pins": {"epochs": 20}}
    return Overrides(toy, **given | more)


def queue(store: Store, name: str) -> list[dict[str, Any]]:
    trials = store.optuna_study(name).get_trials(deepcopy=False)
    return [dict(trial.system_attrs["fixed_params"]) for trial in trials]


def test_the_best_third_of_those_that_ended_well_is_trained_and_nothing_else(
    store: Store, settings: Settings, toy: str
) -> None:
    drawn = screen(store, settings, toy)
    row = put(store, settings, promote(toy))

    best = [{"learning_rate": drawn[number]["learning_rate"]} for number in (3, 1, 5)]
    assert queue(store, "toy-full") == best
    stored = from_json(row.definition)
    assert (row.trials, stored.found.promoted_from) == (3, "toy")
    assert stored.found.promoted_trials == (3, 1, 5)
    assert [stored.promoted(number) for number in (0, 2, 3)] == ["toy 3", "toy 5", ""]
    assert stored.settled["epochs"] == 20


def test_so_many_are_promoted_as_are_asked_for(store: Store, settings: Settings, toy: str) -> None:
    screen(store, settings, toy)

    row = put(store, settings, promote(toy, trials=5))

    assert (row.trials, from_json(row.definition).found.promoted_trials) == (5, (3, 1, 5, 4, 0))
    with pytest.raises(StudyError, match="toy has 6 finished configurations to promote, 7 are"):
        put(store, settings, promote(toy, name="toy-7", trials=7))


def test_a_study_of_promoted_trials_is_not_raised_to_draws_of_its_own(
    store: Store, settings: Settings, toy: str
) -> None:
    screen(store, settings, toy)
    put(store, settings, promote(toy))
    fix = "draws no others; promote more into a new study: .* --as toy-full-4 --trials 4"

    for overrides in (promote(toy, trials=4), Overrides("toy-full", trials=4)):
        with pytest.raises(StudyError, match=fix):
            put(store, settings, overrides)
    with pytest.raises(StudyError, match=fix):
        set_total(store, "toy-full", 4)
    assert put(store, settings, Overrides("toy-full", trials=2)).trials == 2


def test_a_promoted_trial_whose_backbone_is_too_large_leaves_no_draw_in_its_place() -> None:
    study = Study(
        name="full",
        objective="image_classifier",
        metric="val_loss",
        direction="minimize",
        space=[Choice("backbone", ("small", "large"))],
        enqueue=[{"backbone": "large"}, {"backbone": "small"}],
        trials=2,
    )
    stored = StoredStudy(study, Found(promoted_from="toy", promoted_trials=(9, 4)))

    fitting = stored.without_backbones(["large"])

    assert fitting.study.trials == 1
    assert fitting.promoted(0) == "toy 4"


def test_the_original_of_each_promoted_trial_stands_beside_it(
    store: Store, settings: Settings, toy: str
) -> None:
    screen(store, settings, toy)
    put(store, settings, promote(toy))
    console = Console(file=StringIO(), width=200)

    print_status(store, "toy-full", as_json=False, console=console)

    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line.split("waiting")[0].strip() for line in lines if "waiting" in line] == [
        "0 (toy 3)",
        "1 (toy 1)",
        "2 (toy 5)",
    ]


def test_the_same_command_goes_on_with_the_queue_of_its_first_time(
    store: Store, settings: Settings, toy: str
) -> None:
    screen(store, settings, toy)
    first = put(store, settings, promote(toy))
    claim = store.claim("toy", "ada", lease_seconds=30)
    assert isinstance(claim, Claim)
    with store.trial(claim) as trial:
        from_json(store.study("toy").definition).study.space.suggest(trial)
    store.tell(claim, finished(0.0))

    assert put(store, settings, promote(toy)) == first
    assert put(store, settings, Overrides("toy-full")) == first


def test_the_best_are_those_of_the_screening_whatever_the_new_study_compares(
    store: Store, settings: Settings, toy: str, database_url: str
) -> None:
    drawn = screen(store, settings, toy)
    execute(database_url, "UPDATE study_directions SET direction = 'MAXIMIZE'")
    put(store, settings, promote(toy))

    best = [{"learning_rate": drawn[number]["learning_rate"]} for number in (2, 0, 4)]
    assert queue(store, "toy-full") == best


def test_a_guarantee_of_the_file_asks_for_no_trials_beyond_the_best(
    store: Store, settings: Settings, toy: str
) -> None:
    guarding = TOY.replace("trials=9", 'trials=9, at_least={"noise": 4}')
    Path(toy).write_text(
        guarding.replace('Int("epochs', 'Choice("noise", (0.0, 0.1)), Int("epochs')
    )
    screen(store, settings, toy)

    row = put(store, settings, promote(toy))

    assert (row.trials, from_json(row.definition).study.at_least) == (3, {})
    assert put(store, settings, promote(toy, name="toy-2", trials=2)).trials == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": None}, "add --as toy-full"),
        ({"promote": "nobody"}, "no stored study 'nobody'"),
    ],
    ids=["of itself", "of none"],
)
def test_what_cannot_be_promoted_is_told(
    store: Store, settings: Settings, toy: str, changes: dict[str, Any], message: str
) -> None:
    screen(store, settings, toy)
    with pytest.raises(StudyError, match=message):
        put(store, settings, promote(toy, **changes))


def test_trials_that_differ_in_nothing_that_is_still_searched_are_one(
    store: Store, settings: Settings, toy: str
) -> None:
    screen(store, settings, toy)
    pins = {"learning_rate": 0.1, "epochs": 20}
    assert put(store, settings, promote(toy, pins=pins)).trials == 1


def test_a_study_without_a_finished_trial_has_none_to_promote(
    store: Store, settings: Settings, toy: str
) -> None:
    put(store, settings, Overrides(toy))
    with pytest.raises(StudyError, match="toy has no finished trial; run it first"):
        put(store, settings, promote(toy))


def test_values_outside_the_new_space_are_named(
    store: Store, settings: Settings, toy: str, tmp_path: Path
) -> None:
    screen(store, settings, toy)
    narrow = tmp_path / "narrow.py"
    narrow.write_text(TOY.replace("1e-5, 1.0", "2.0, 3.0"))
    with pytest.raises(StudyError, match=r"has learning_rate=.*, which toy-full does not search"):
        put(store, settings, promote(str(narrow)))
