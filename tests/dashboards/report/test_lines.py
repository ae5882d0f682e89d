"""The table of all trials."""

import csv
import io
from dataclasses import replace

from dashboards.report.facts import Facts, read_facts
from spaces.params import Choice, Float
from spaces.study import Study
from storage.store import Store
from tests.dashboards.report.planted import STUDY, plant

FORMULAS = ("=1+1", "+x", "-x", "@sum", "\tx")


def rows_of(facts: Facts) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(facts.lines.csv)))


def test_the_table_has_a_row_per_trial_with_its_values_and_best_epoch(facts: Facts) -> None:
    rows = rows_of(facts)
    assert [row["trial"] for row in rows] == [str(number) for number in range(1000)]
    assert {row["outcome"] for row in rows} == {"finished", "pruned", "code_error"}
    first = facts.lines.trials[0]
    assert float(rows[0]["value"]) == first.value
    assert float(rows[0]["param_learning_rate"]) == first.params["learning_rate"]
    assert float(rows[0]["best_val_top1"]) == 0.9


def test_a_cell_that_a_spreadsheet_would_compute_is_text_and_a_number_stays(
    store: Store, tmp_path: object
) -> None:
    space = [Choice("augmentation", FORMULAS), Float("learning_rate", 1e-5, 1e-2)]
    study: Study = replace(STUDY, space=space, name="formulas")
    plant(store, study, count=30)
    rows = rows_of(read_facts(store, "formulas", str(tmp_path)))
    assert {row["param_augmentation"] for row in rows} == {f"'{each}" for each in FORMULAS}
    assert all(float(row["param_learning_rate"]) > 0 for row in rows)
