"""Two trials on the same images: from their small tables what their logits would say."""

import csv
import io
import math

import numpy as np
import pytest
import torch
from scipy.stats import bootstrap
from torch.nn.functional import cross_entropy

from dashboards.analysis.trials.paired import paired_difference
from objectives.groups.draws import Grouping, all_draws, bounds
from objectives.groups.sums import GroupSums, sum_by_group
from objectives.groups.table import read_groups, table_rows

IMAGES, SLIDES = 480, 60
LABELS = torch.arange(IMAGES) % 4
GROUPS = [f"slide {number // 8}" for number in range(IMAGES)]


def logits_of(seed: int, skill: float) -> torch.Tensor:
    """Give the logits of a network for images of which some are hard for all networks."""
    generator = torch.Generator().manual_seed(9)
    hardness = 2 * torch.randn(IMAGES, 4, generator=generator, dtype=torch.double)
    own = torch.randn(IMAGES, 4, generator=generator.manual_seed(seed), dtype=torch.double)
    return hardness + own / 4 + skill * torch.nn.functional.one_hot(LABELS, 4)


def losses_of(logits: torch.Tensor) -> np.ndarray:
    return cross_entropy(logits, LABELS, reduction="none").numpy()


def stored(logits: torch.Tensor, groups: list[str] = GROUPS) -> GroupSums:
    """The sums of a network's answers, as they are read from its `groups.csv`."""
    sums = sum_by_group(
        Grouping.of(groups),
        ["a", "b", "c", "d"],
        labels=LABELS.numpy(),
        is_right=(logits.argmax(dim=1) == LABELS).numpy(),
        losses=losses_of(logits),
    )
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(table_rows(sums))
    return read_groups(text.getvalue())


GOOD, BETTER = logits_of(seed=1, skill=2.0), logits_of(seed=2, skill=2.3)


def test_the_difference_of_losses_is_that_of_the_logits() -> None:
    found = paired_difference(stored(BETTER), stored(GOOD))

    of_image = losses_of(BETTER) - losses_of(GOOD)
    # All slides have eight images, so that the mean over slides is the mean over images.
    of_slide = of_image.reshape(SLIDES, 8).mean(axis=1)
    drawn = bootstrap((of_slide,), np.mean, method="percentile", n_resamples=5000, rng=1)
    low, high = drawn.confidence_interval
    assert found is not None
    assert found.value == pytest.approx(of_image.mean(), abs=1e-6)
    assert found.low == pytest.approx(low, abs=0.08 * (high - low))
    assert found.high == pytest.approx(high, abs=0.08 * (high - low))


def test_what_is_hard_for_both_cancels_out() -> None:
    one, other = stored(BETTER), stored(GOOD)
    found = paired_difference(one, other)

    assert found is not None
    assert found.high < 0  # told apart, where the two intervals overlap
    (_, highest), (lowest, _) = (
        bounds(each.mean_losses(all_draws(SLIDES))) for each in (one, other)
    )
    assert highest > lowest


def test_other_numbers_are_compared_in_the_same_way() -> None:
    found = paired_difference(stored(BETTER), stored(GOOD), GroupSums.balanced_accuracies)

    right = [(each.argmax(dim=1) == LABELS).double() for each in (BETTER, GOOD)]
    recalls = [torch.stack([each[name == LABELS].mean() for name in range(4)]) for each in right]
    assert found is not None
    assert found.value == pytest.approx((recalls[0] - recalls[1]).mean().item(), abs=1e-12)
    assert found.low < found.value < found.high


def test_a_trial_differs_from_itself_by_nothing() -> None:
    assert paired_difference(stored(GOOD), stored(GOOD)) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    "groups",
    [[f"patient {number // 8}" for number in range(IMAGES)], ["slide 0"] * 10 + GROUPS[10:]],
    ids=["other-names", "other-counts"],
)
def test_trials_on_other_images_are_not_compared(groups: list[str]) -> None:
    assert paired_difference(stored(GOOD), stored(GOOD, groups=groups)) is None


def test_a_single_group_gives_a_difference_and_no_interval() -> None:
    better, good = (stored(each, groups=["one"] * IMAGES) for each in (BETTER, GOOD))
    found = paired_difference(better, good)

    assert found is not None
    assert found.value == pytest.approx((losses_of(BETTER) - losses_of(GOOD)).mean(), abs=1e-6)
    assert all(map(math.isnan, found[1:]))
