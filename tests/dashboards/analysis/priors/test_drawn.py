"""What a prior draws, in numbers: held against the draws of the sampler."""

import numpy as np
import pytest

from dashboards.analysis.priors.drawn import CELLS, PriorDraws, prior_draws
from search.samplers.beliefs import beliefs_of
from search.samplers.searched import Searched
from search.samplers.unlearned import Uniform
from spaces.params import Choice, Float, Int, Param, Toggle
from spaces.priors import Prior, Scale
from spaces.space import Space

DRAWS = 20_000
NUMBERS = [
    Float("learning_rate", 1e-5, 1e-1, log=True, prior=Prior(3e-4, "high")),
    Float("dropout", 0.0, 0.5, prior=Prior(0.5, "low")),
    Float("even", 1e-4, 1.0, log=True),
    Int("epochs", 5, 20, prior=Prior(8, "medium")),
    Int("units", 8, 4096, log=True, prior=Prior(64)),
    Int("one", 3, 3),
]


def described(param: Param) -> PriorDraws:
    (found,) = prior_draws(Space((param,)))
    return found


def draws(param: Param) -> list[object]:
    """Many draws of the sampler before any trial has ended, in turns that are the prior's."""
    space = Space((param,))
    searched = Searched.of(space)
    distribution = searched.distributions[param.name]
    belief = beliefs_of(space, searched.distributions).get(param.name)
    if belief is None:
        uniform = Uniform(searched, seed=1)
        return [uniform.draw({})[param.name] for _ in range(DRAWS)]
    drawn = belief.draw(np.random.default_rng(1).random(DRAWS))
    return [distribution.to_external_repr(value) for value in drawn.tolist()]


@pytest.mark.parametrize("param", NUMBERS, ids=lambda param: param.name)
def test_the_middle_of_a_numbers_draws_holds_four_fifths_of_them(param: Float | Int) -> None:
    low, high = described(param).middle or (0, 0)
    values = np.array(draws(param), dtype=float)

    rounded = 0.5 if isinstance(param, Int) else 0.0  # a whole value may hold much of the draws
    for bound, share in ((low, 0.1), (high, 0.9)):
        below, upto = np.mean(values < bound - rounded), np.mean(values <= bound + rounded)
        assert below - 0.01 <= share <= upto + 0.01


@pytest.mark.parametrize("param", NUMBERS, ids=lambda param: param.name)
def test_the_cells_of_a_strip_have_the_shares_of_the_draws(param: Float | Int) -> None:
    found, values = described(param), np.array(draws(param), dtype=float)

    if isinstance(param, Int) and param.high - param.low < CELLS:
        edges = np.arange(param.low, param.high + 2) - 0.5
        counts, _ = np.histogram(values, edges)
        assert len(found.density) == len(counts)
        heaviest = int(np.argmax(found.density)) + param.low
        assert counts[heaviest - param.low] == pytest.approx(max(counts), rel=0.1)
    else:
        scale = Scale(param.low, param.high, param.log)
        counts, _ = np.histogram([scale.to_unit(value) for value in values], CELLS, (0, 1))
        shares = np.array(found.density) / CELLS
        assert np.abs(counts / DRAWS - shares).max() < 0.02


@pytest.mark.parametrize(
    "param",
    [
        Choice("backbone", {"resnet50": 8, "resnet34": 2}),
        Choice("size", (16, 32)),
        Toggle("on", 0.3),
    ],
    ids=lambda param: param.name,
)
def test_options_are_drawn_as_often_as_is_said(param: Choice | Toggle) -> None:
    drawn = draws(param)
    counts = [drawn.count(option) / DRAWS for option in param.corners()]
    assert list(described(param).shares.values()) == pytest.approx(counts, abs=0.015)


def test_a_strip_is_flat_without_a_prior_and_stands_out_at_its_center() -> None:
    flat, bell = described(NUMBERS[2]).strip, described(NUMBERS[0]).strip

    assert (len(set(flat)), len(flat)) == (1, CELLS)
    assert len(bell) == CELLS
    assert bell.index("█") == pytest.approx(CELLS * Scale(1e-5, 1e-1, True).to_unit(3e-4), abs=1)
    assert (bell[0], bell[-1]) == ("▁", "▁")
