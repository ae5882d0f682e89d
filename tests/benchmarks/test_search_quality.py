"""The benchmark of choosing and stopping trials measures what it says, on few seeds."""

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmarks.search_quality.__main__ import main
from benchmarks.search_quality.beliefs import BELIEFS, FAR, NEAR, SHIFTED, believed
from benchmarks.search_quality.contenders import CONTENDERS
from benchmarks.search_quality.course import follow
from benchmarks.search_quality.curves import FAMILIES, Trial
from benchmarks.search_quality.judges import JUDGES
from benchmarks.search_quality.landscape import draw_config, position
from benchmarks.search_quality.landscapes import valley
from benchmarks.search_quality.measures import regret_ratio, trials_ratio
from benchmarks.search_quality.peers import PEERS
from benchmarks.search_quality.pruning import Scale
from benchmarks.search_quality.pruning import follow as follow_study
from benchmarks.search_quality.table import ALL, PLAIN, digits, rows
from spaces.params import Float, Int
from spaces.space import TrialConfig

QUICK = ["--seeds", "2", "--trials", "40", "--landscapes", "valley", "--beliefs", "offset"]


def run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    main([*words, "--kept", str(folder), "--jobs", "1", "--json"])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_quick_run_prints_its_figures_and_keeps_its_searches(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--only", "alone", "--contenders", "random", "tpe", "--plot", str(tmp_path / "a.svg")]
    first = run(tmp_path / "kept", capsys, *words, *QUICK)
    kept = {path: path.read_text() for path in (tmp_path / "kept").iterdir()}
    again = run(tmp_path / "kept", capsys, *words, *QUICK)

    assert [figure["at"] for figure in first] == ["random, none"] * 2 + ["tpe, offset"] * 2
    assert [figure["median"] for figure in again] == [figure["median"] for figure in first]
    assert {path: path.read_text() for path in (tmp_path / "kept").iterdir()} == kept
    assert "<svg" in (tmp_path / "a.svg").read_text()


def test_costs_and_pruning_are_measured_on_few_trials(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--only", "cost", "pruning", "--share", "0.01", "--seeds", "2"]
    judges = ["--judges", "Optuna SHA(3, 3)", "rungs", "--families", "constant"]
    figures = run(tmp_path, capsys, *words, *judges, "--contenders", "tpe")

    epochs = {f["at"]: f["median"] for f in figures if "top trial over" in str(f["figure"])}
    assert {figure["row"] for figure in figures} == {"cost", "pruning"}
    assert epochs["none"] == 1 > epochs["rungs"]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("seed", [0, 1])
def test_no_configuration_is_better_than_the_best(name: str, seed: int) -> None:
    landscape, random = ALL[name](seed), Random(7)
    drawn = [draw_config(landscape.space, random) for _ in range(400)]
    beside = [{**landscape.best, **_shared(landscape.best, each)} for each in drawn]

    regrets = [landscape.regret(each) for each in (*drawn, *beside)]
    assert landscape.regret(landscape.best) == 0 <= min(regrets)
    assert 0.8 < np.median(regrets[: len(drawn)]) < 1.25


def _shared(best: TrialConfig, other: TrialConfig) -> TrialConfig:
    """One value of another configuration, of a parameter that the best one has."""
    name = Random(str(other)).choice([name for name in other if name in best])
    return {name: other[name]}


@pytest.mark.parametrize("belief", BELIEFS)
def test_priors_are_as_far_off_as_they_say(belief: str) -> None:
    landscape = valley(3)
    params = believed(landscape, belief, 3)

    moves = sorted(
        round(abs(position(each, each.prior.center) - position(each, landscape.best[each.name])), 9)
        for each in params
        if isinstance(each, Float | Int) and each.prior
    )
    assert (
        moves
        == {
            "good": [NEAR] * 5,
            "offset": [SHIFTED] * 5,
            "one wrong": [NEAR] * 4 + [FAR],
            "two only": [NEAR] * 2,
            "wrong": [FAR] * 5,
            "none": [],
        }[belief]
    )


class Counting:
    """A search that notes how many of its trials run."""

    def __init__(self) -> None:
        self.running: set[int] = set()
        self.most: list[int] = []
        self.ended: list[int] = []

    def ask(self, number: int) -> TrialConfig:
        self.running.add(number)
        return valley(0).best

    def tell(self, number: int, value: float) -> None:
        self.most.append(len(self.running))
        self.running.remove(number)
        self.ended.append(number)


@pytest.mark.parametrize("workers", [1, 4, 8])
def test_as_many_trials_run_as_there_are_workers(workers: int) -> None:
    first, again = Counting(), Counting()
    for search in (first, again):
        follow(search, valley(0), trials=30, workers=workers, seed=5)

    assert first.most == [workers] * (31 - workers) + [*range(workers - 1, 0, -1)]
    assert sorted(first.ended) == [*range(30)]
    assert first.ended == again.ended
    assert (first.ended == [*range(30)]) == (workers == 1)


@pytest.mark.parametrize("name", [name for name in CONTENDERS if name not in PEERS])
def test_a_contender_repeats_its_search(name: str) -> None:
    landscape = valley(1)
    space = believed(landscape, "offset" if CONTENDERS[name].takes_priors else "none", 1)
    courses = [
        follow(
            CONTENDERS[name].begin(space, 11, 1), landscape, trials=11, workers=3, seed=1
        ).regrets
        for _ in range(2)
    ]

    assert courses[0] == courses[1]
    assert courses[0] == sorted(courses[0], reverse=True)  # no noise here: the best only improves
    assert courses[0][-1] < courses[0][0]


def test_ratios_are_those_of_medians_and_their_geometric_mean() -> None:
    base = np.tile(np.linspace(1, 0.2, 100), (3, 1))
    quicker = np.tile(np.linspace(1, 0.2, 100)[[*range(0, 100, 2), *[99] * 50]], (3, 1))
    tasks = {"one": (quicker, base), "same": (base, base)}

    # At trial 21 the quicker one has the regret of the base at trial 41.
    assert trials_ratio(tasks).median == pytest.approx((21 / 40 * 1) ** 0.5)
    assert regret_ratio(tasks, 40).median == pytest.approx((base[0, 78] / base[0, 39]) ** 0.5)
    assert trials_ratio({"same": (base, base)}).high == 1


# Of the best values at 1/4, 1/2 and 3/4 of the schedule with the end, as in the first measurements.
CORRELATIONS = {
    "cosine": (0.52, 0.76, 0.96),
    "epochs": (0.71, 0.86, 0.98),
    "late": (0.36, 0.51, 0.74),
    "constant": (0.96, 0.98, 0.99),
    "noisy": (0.52, 0.69, 0.89),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_of_curves_is_as_hard_as_intended(name: str) -> None:
    random = Random(1)
    trials = [FAMILIES[name].draw(random) for _ in range(800)]
    truths = [trial.truth for trial in trials]

    found = []
    for share in (0.25, 0.5, 0.75):
        best = [min(trial.values[: max(1, int(share * trial.epochs))]) for trial in trials]
        found.append(spearmanr(best, truths).statistic)
    assert found == pytest.approx(CORRELATIONS[name], abs=0.15)


@pytest.mark.parametrize("name", JUDGES)
def test_a_rule_spends_fewer_epochs_where_early_values_are_true(name: str) -> None:
    levels = [*Random(2).sample(range(6, 100), 40), *range(5, 100)]  # the 41st is among the top 5 %
    scale = Scale(best=1, top=5, usual=50, epochs=12)

    def spent_under(rule: str) -> float:
        left = iter(levels)

        def draw(random: Random) -> Trial:
            level = next(left, 50)
            return Trial(values=tuple(level + 9 / epoch for epoch in range(1, 13)), truth=level)

        return follow_study(JUDGES[rule](12), draw, scale, seed=0).to_top

    assert spent_under("none") == 41 * 12
    assert (spent_under(name) < 41 * 12 * 0.9) == (name != "none")


def test_the_table_answers_with_its_own_losses_and_those_of_the_nearest() -> None:
    landscape, table = digits(0), rows()
    ends = table.groupby("number").agg({"val_loss": "min"} | dict.fromkeys(PLAIN.names, "first"))

    some = ends.sample(20, random_state=0)
    for row in some.to_dict("records"):
        loss = row.pop("val_loss")
        assert landscape.true_loss({**row, "learning_rate": row["learning_rate"] * 1.0001}) == loss
    assert len(ends) >= 300
    assert (table.groupby("number").size() == ends["epochs"]).all()
