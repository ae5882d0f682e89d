"""The list of hyperparameters that a study may fix or search."""

import json

import pytest

from objectives import catalog
from search.cli import main


def test_every_hyperparameter_is_listed_with_its_range_and_condition(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["parameters"]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = {line.split()[0] for line in lines if line.strip()}
    assert set(catalog.describe("image_classifier").fields) <= names
    (hidden,) = (line for line in lines if line.split()[:1] == ["hidden_units"])
    assert "1 to 8192 units" in hidden
    assert "Acts when head=hidden." in hidden


def test_programs_get_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parameters", "--objective", "toy_curve", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["learning_rate"]["default"] == 0.01


def test_an_unknown_objective_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parameters", "--objective", "image_clasifier"]) == 2
    assert "did you mean 'image_classifier'" in capsys.readouterr().err
