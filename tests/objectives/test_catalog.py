"""Tests of what the rest of the house may ask about objectives."""

import subprocess
import sys

import pytest

from objectives import catalog
from objectives.contract import RecipeError


def test_the_catalog_loads_neither_torch_nor_numpy() -> None:
    code = "import sys, objectives.catalog; print({'torch', 'numpy', 'PIL'} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert printed.stdout.strip() == b"set()"


def test_a_schedule_is_read_with_the_recipes_defaults() -> None:
    assert catalog.schedule("image_classifier", {"epochs": 7}) == {"epochs": 7, "warmup_epochs": 1}


def test_an_unknown_objective_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(RecipeError, match="did you mean 'image_classifier'"):
        catalog.describe("image_clasifier")


def test_preflight_refuses_a_configuration_that_no_recipe_takes() -> None:
    with pytest.raises(RecipeError, match="did you mean 'epochs'"):
        catalog.preflight("toy_curve", [{"epochs": 3}, {"epoch": 3}])
