"""Intervals over whole groups, against draws made anew and against SciPy."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import bootstrap
from sklearn.metrics import balanced_accuracy_score
from torch.nn.functional import cross_entropy

from objectives import catalog
from objectives.groups.draws import Grouping, draws
from objectives.training.measures.intervals import Intervals, add_up, recall_intervals
from objectives.training.measures.metrics import measure

NAMES = [
    "val_loss_low",
    "val_loss_high",
    "val_balanced_accuracy_low",
    "val_balanced_accuracy_high",
]


def answers(images: int, classes: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """Give the logits of a network that is right in about two thirds, and the labels."""
    generator = torch.Generator().manual_seed(2)
    labels = torch.randint(classes, (images,), generator=generator)
    logits = torch.randn(images, classes, generator=generator)
    logits[torch.arange(images), labels] += 1.5
    return logits, labels


def intervals(logits: torch.Tensor, labels: torch.Tensor, groups: list[str]) -> dict[str, float]:
    temperature = measure(logits, labels)["val_temperature"]
    return Intervals(groups).measure(logits, labels, temperature)


def test_the_ends_are_those_of_drawing_the_images_themselves() -> None:
    logits, labels = answers(300)
    groups = [f"slide {number % 40}" for number in range(300)]
    temperature = measure(logits, labels)["val_temperature"]
    losses = cross_entropy(logits.double() / temperature, labels, reduction="none").numpy()
    predicted, names = logits.argmax(dim=1).numpy(), np.array(groups)
    means, accuracies = [], []
    for times in draws(40):
        drawn = np.repeat(sorted({*groups}), times)
        rows = np.concatenate([np.flatnonzero(names == name) for name in drawn])
        means.append(losses[rows].mean())
        accuracies.append(balanced_accuracy_score(labels.numpy()[rows], predicted[rows]))

    found = intervals(logits, labels, groups)

    expected = [*np.percentile(means, (2.5, 97.5)), *np.percentile(accuracies, (2.5, 97.5))]
    assert list(found) == NAMES
    assert list(found.values()) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("images", [300, 6000], ids=["drawn-alone", "drawn-in-bundles"])
def test_single_images_have_the_interval_of_scipys_bootstrap(images: int) -> None:
    logits, labels = answers(images)
    values = measure(logits, labels)
    scaled = logits.double() / values["val_temperature"]
    losses = cross_entropy(scaled, labels, reduction="none").numpy()
    drawn = bootstrap((losses,), np.mean, method="percentile", n_resamples=2000, rng=1, batch=100)
    low, high = drawn.confidence_interval

    found = intervals(logits, labels, [str(number) for number in range(images)])

    width = high - low
    assert found["val_loss_low"] == pytest.approx(low, abs=0.06 * width)
    assert found["val_loss_high"] == pytest.approx(high, abs=0.06 * width)


def test_copies_of_an_image_within_its_group_narrow_nothing() -> None:
    logits, labels = answers(60)
    alone = intervals(logits, labels, [str(number) for number in range(60)])
    logits, labels = logits.repeat(5, 1), labels.repeat(5)
    temperature = measure(logits[:60], labels[:60])["val_temperature"]

    together = Intervals([str(number % 60) for number in range(300)])
    apart = Intervals([str(number) for number in range(300)])

    assert together.measure(logits, labels, temperature) == alone
    narrow = apart.measure(logits, labels, temperature)
    width, usual = (each["val_loss_high"] - each["val_loss_low"] for each in (narrow, alone))
    assert width < 0.6 * usual


def test_a_class_that_a_draw_lacks_is_left_out_of_its_mean() -> None:
    # Group a has both classes, b only the first; drawn alone, b says nothing of the second.
    logits = torch.tensor([[2.0, 0.0], [2.0, 0.0], [2.0, 0.0]])
    labels = torch.tensor([0, 1, 0])

    found = intervals(logits, labels, ["a", "a", "b"])

    # aa and ab: (1 + 0) / 2; bb: 1, of the first class alone.
    assert found["val_balanced_accuracy_low"] == 0.5
    assert found["val_balanced_accuracy_high"] == 1.0


def test_the_order_of_the_images_changes_no_bit() -> None:
    logits, labels = answers(2000)
    groups = [f"patient {number % 300}" for number in range(2000)]
    order = torch.randperm(2000, generator=torch.Generator().manual_seed(1))

    shuffled = Intervals([groups[each] for each in order.tolist()])

    expected = Intervals(groups).measure(logits, labels, 0.7)
    assert shuffled.measure(logits[order], labels[order], 0.7) == expected


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_logit_that_is_not_finite_leaves_no_interval(broken: float) -> None:
    logits, labels = answers(20)
    logits[3, 1] = broken

    found = intervals(logits, labels, [str(number) for number in range(20)])

    assert list(found) == NAMES
    assert all(map(math.isnan, found.values()))


def test_a_single_group_has_no_interval() -> None:
    assert all(map(math.isnan, intervals(*answers(20), ["one patient"] * 20).values()))


def test_no_end_of_an_interval_may_rank_trials() -> None:
    known = catalog.describe("volume_classifier").metrics

    assert [known[name]["ranks"] for name in NAMES] == [False] * 4
    assert [known[name]["high"] for name in NAMES] == [None, None, 1.0, 1.0]


def recalls_of(rows: list[tuple[str, int, bool]]) -> list[tuple[float, float]]:
    """The intervals of two classes from rows of group, class and whether the answer is right."""
    groups, labels, _ = zip(*rows, strict=True)
    predicted = [label if is_right else 1 - label for _, label, is_right in rows]
    logits = torch.nn.functional.one_hot(torch.tensor(predicted), 2).double()
    sums = add_up(Grouping.of(groups), ["x", "y"], logits=logits, labels=torch.tensor(labels))
    return recall_intervals(sums, has_groups=len({*groups}) < len(groups))


def test_a_recalls_interval_draws_whole_groups() -> None:
    # Twenty images of each slide share their answer, so that there are only 10 answers.
    rows = [(f"slide {slide}", 0, slide < 7) for slide in range(10) for _ in range(20)]
    times = np.stack([*draws(10)])
    expected = np.percentile(times[:, :7].sum(axis=1) / 10, (2.5, 97.5))

    assert recalls_of(rows)[0] == pytest.approx(expected)
    apart = recalls_of([(str(number), *row[1:]) for number, row in enumerate(rows)])[0]
    assert apart[1] - apart[0] < 0.3 * (expected[1] - expected[0])


def test_where_every_answer_is_right_the_groups_count_as_images() -> None:
    rows = [(f"slide {slide}", 0, True) for slide in range(8) for _ in range(20)]

    low, high = recalls_of(rows)[0]

    # Wilson's lower end at 8 of 8: 8 / (8 + z^2).
    assert low == pytest.approx(8 / (8 + 1.959963984540054**2))
    assert high == 1.0


def test_a_class_of_a_single_group_has_no_interval() -> None:
    rows = [("a", 0, True), ("a", 0, False), ("b", 1, True), ("c", 1, False)]

    assert all(map(math.isnan, recalls_of(rows)[0]))
    assert not any(map(math.isnan, recalls_of(rows)[1]))
