"""The importances of hyperparameters, with their intervals."""

from dataclasses import replace

import pytest

from dashboards.report.facts import Facts
from dashboards.report.importances import FEWEST, Importances, find_importances
from dashboards.report.lines import no_step
from tests.dashboards.report.planted import STUDY


def test_the_hyperparameter_that_decides_the_value_leads_and_no_interval_reaches_its(
    facts: Facts,
) -> None:
    found = facts.importances
    assert found is not None
    first, *others = found.rows
    assert first.name == "learning_rate"
    assert all(first.low > other.high for other in others)
    assert all(0 <= row.low <= row.share <= row.high <= 1 for row in found.rows)
    assert sum(row.share for row in found.rows) == pytest.approx(1)


def test_below_twenty_finished_trials_there_are_none(facts: Facts) -> None:
    assert find_importances(STUDY, facts.lines.finished[: FEWEST - 1], no_step) is None
    found = find_importances(STUDY, facts.lines.finished[:FEWEST], no_step)
    assert found is not None
    assert found.best == 5


def test_more_trials_give_narrower_intervals(facts: Facts) -> None:
    few = find_importances(STUDY, facts.lines.finished[:FEWEST], no_step)
    many = facts.importances
    assert few is not None
    assert many is not None
    assert many.trials > few.trials
    assert width(many) < width(few)


def test_trials_with_values_of_another_space_are_left_out(facts: Facts) -> None:
    finished = facts.lines.finished[:FEWEST]
    foreign = replace(finished[0], params={"learning_rate": 99.0})
    assert find_importances(STUDY, [foreign, *finished[1:]], no_step) is None


def width(found: Importances) -> float:
    """Return the widths of all intervals together."""
    return sum(row.high - row.low for row in found.rows)
