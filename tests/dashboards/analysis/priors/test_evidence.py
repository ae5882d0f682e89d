"""The evidence on a study's searched hyperparameters, from a real database."""

import math

from dashboards.analysis.priors.evidence import FEWEST, EvidenceReader
from dashboards.analysis.priors.options import OptionEvidence
from dashboards.analysis.priors.ranges import NumberEvidence
from dashboards.analysis.snapshot import read_snapshot
from spaces.params import Choice, Float, Int, Toggle
from storage.store import Store
from tests.dashboards.analysis.toy_trials import begin_trial, end_trial, make_study
from tests.storage.samples import ended, finished

SPACE = [
    Choice("backbone", ("small", None, 3)),
    Toggle("ldam", prior=0.6),
    Float("learning_rate", 1e-5, 1e-1, log=True),
    Int("margin", 1, 5, when={"ldam": True}),
]


def test_nothing_is_said_before_twelve_trials_have_finished(store: Store) -> None:
    study = make_study(store, space=SPACE)
    for number in range(FEWEST - 1):
        end_trial(store, finished(number / 10), study)
    end_trial(store, ended("PRUNED", "pruned"), study)
    end_trial(store, finished(math.inf), study)
    reader = EvidenceReader()
    snapshot = read_snapshot(store, "toy")

    few = reader.read(store, snapshot)
    end_trial(store, finished(0.0), study)
    enough = reader.read(store, read_snapshot(store, "toy", snapshot))

    assert (few.params, few.missing) == ((), 1)
    assert (len(enough.params), enough.missing) == (4, 0)


def test_a_conditional_one_is_judged_by_the_trials_that_have_it(store: Store) -> None:
    study = make_study(store, space=SPACE)
    for number in range(30):
        end_trial(store, finished(number / 10), study)

    found = EvidenceReader().read(store, read_snapshot(store, "toy"))

    by_name = {each.name: each for each in found.params}
    having = [trial for trial in store.trials("toy") if "margin" in trial.params]
    assert 0 < len(having) < 30
    assert by_name["margin"].trials == len(having)
    assert by_name["margin"].when == {"ldam": True}
    assert (by_name["margin"].found is None) == (len(having) < FEWEST)


def test_counts_and_values_are_those_of_the_best_trials_as_they_were_drawn(store: Store) -> None:
    study = make_study(store, space=SPACE, direction="maximize", metric="val_top1")
    for number in range(16):
        end_trial(store, finished(number / 100), study)
    begin_trial(store, study)

    found = EvidenceReader().read(store, read_snapshot(store, "toy"))

    best = store.trials("toy")[15:11:-1]
    backbone, _, rate, _ = (each.found for each in found.params)
    assert isinstance(rate, NumberEvidence)
    assert rate.best == [(row.number, row.params["learning_rate"]) for row in best]
    assert isinstance(backbone, OptionEvidence)
    assert {each.option: each.best for each in backbone.options} == {
        option: sum(row.params["backbone"] == option for row in best)
        for option in ("small", None, 3)
    }
