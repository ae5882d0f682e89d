"""A study in memory is the study that Optuna reads, and a sampler draws the same from both."""

import math
from collections.abc import Callable

import optuna
import pytest
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState

from storage.rows import HandBackReason, Outcome, TrialEnd
from storage.store import Claim, Store
from tests.storage.samples import ended, finished, stock_study

Claiming = Callable[..., Claim]
UNORDERED = ("intermediate_values", "_user_attrs", "_system_attrs")


class Undo(Exception):
    """Ends a drawing without its writes."""


def draw(trial: optuna.Trial) -> dict[str, object]:
    """Draw a space with a condition, a whole number, a log scale and options of several types."""
    kind = trial.suggest_categorical("kind", ["a", "b", None, True])
    trial.suggest_float("rate", 1e-300, 1e300, log=True)
    trial.suggest_int("depth", 1, 64, log=True)
    if kind == "a":
        trial.suggest_float("only_a", -1, 1, step=0.25)
    return dict(trial.params)


def fill(store: Store, claim: Claiming, trials: int) -> None:
    """End trials in every way, with odd numbers and attributes."""
    store.update_definition("toy", {}, trials=None)
    stock_study(store).enqueue_trial({"kind": "b", "rate": 2.0})
    ends = [
        finished(0.1 + 0.2, shown={"badges": "läuft"}, links={"artifacts:1": '{"a": 1}'}),
        finished(-math.inf),
        ended("PRUNED", "pruned"),
        ended("FAIL", "code_error"),
        TrialEnd(state="PRUNED", value=None, outcome=Outcome.OUT_OF_MEMORY),
    ]
    for number in range(trials):
        held = claim()
        with store.trial(held, TPESampler(seed=number, n_startup_trials=2)) as trial:
            draw(trial)
        for epoch, value in enumerate((0.5, math.nan, math.inf, 5e-324)[number % 5 :], start=1):
            store.record(held, epoch, {"loss": value}, value, seconds=1.0, images=10)
        store.tell(held, ends[number % len(ends)])


def seen(trials: list[FrozenTrial]) -> list[dict[str, str]]:
    """Spell every field, since NaN is equal to nothing; the tables keep steps in no order."""
    return [
        {
            name: str(sorted(value.items()) if name in UNORDERED else value)
            for name, value in vars(trial).items()
        }
        for trial in trials
    ]


def test_every_field_is_the_one_that_optuna_reads(store: Store, claim: Claiming) -> None:
    fill(store, claim, 10)
    running = claim()
    with store.trial(running) as trial:
        draw(trial)
    stock = stock_study(store)
    stock.enqueue_trial({"kind": "a"})
    assert seen(store.known_trials("toy")) == seen(stock.get_trials())


def test_a_later_look_sees_what_others_did_since(
    store: Store, claim: Claiming, database_url: str
) -> None:
    with Store.open(database_url) as other:
        held = claim("ada")
        assert [trial.state for trial in other.known_trials("toy")] == [TrialState.RUNNING]
        with store.trial(held) as trial:
            draw(trial)
        assert other.known_trials("toy")[0].params == store.known_trials("toy")[0].params != {}
        store.tell(held, finished(0.5))
        stock_study(store).tell(claim("bob").number, state=TrialState.FAIL)
        found = [(trial.state, trial.value) for trial in other.known_trials("toy")]
        assert found == [(TrialState.COMPLETE, 0.5), (TrialState.FAIL, None)]


def test_nothing_that_has_ended_is_read_again(
    store: Store, claim: Claiming, sql: Callable[..., object]
) -> None:
    fill(store, claim, 5)
    before = seen(store.known_trials("toy"))
    sql("UPDATE trial_params SET param_value = 0")
    assert seen(store.known_trials("toy")) == before


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("group", [False, True])
def test_a_sampler_draws_what_it_draws_on_optunas_own_storage(
    store: Store, claim: Claiming, group: bool
) -> None:
    fill(store, claim, 12)
    for seed in range(6):
        held, drawn = claim(), list[dict[str, object]]()
        try:
            with store.trial(held, sampler(seed, group)) as trial:
                drawn.append(draw(trial))
                raise Undo
        except Undo:
            study = stock_study(store)
            study.sampler = sampler(seed, group)
            drawn.append(draw(optuna.Trial(study, held.trial_id)))
        store.hand_back(held, HandBackReason.DRAINED)
        assert drawn[0] == drawn[1]
        store.tell(claim(), finished(0.1 * seed))


def sampler(seed: int, group: bool) -> TPESampler:
    return TPESampler(seed=seed, group=group, multivariate=group, n_startup_trials=2)
