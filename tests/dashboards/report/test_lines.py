"""The table of all trials."""

import csv
import io
from dataclasses import replace

from dashboards.report.facts import Facts, read_facts
from spaces.found import Found
from spaces.params import Choice, Float
from spaces.script import Script
from spaces.study import Study
from storage.store import Store
from tests.dashboards.report.planted import OWN, STUDY, plant

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


def test_every_metric_that_an_authors_own_code_reports_has_a_column(
    store: Store, tmp_path: object
) -> None:
    study = replace(STUDY, name="own", objective=Script("python train.py"))
    plant(store, study, Found(own=OWN), count=30)
    first = rows_of(read_facts(store, "own", str(tmp_path)))[0]
    columns = [name.removeprefix("best_") for name in first if name.startswith("best_")]
    assert columns == ["epoch", "val_loss", "train_loss", "val_balanced_accuracy", "val_top1"]
    assert float(first["best_val_balanced_accuracy"]) == 0.8
