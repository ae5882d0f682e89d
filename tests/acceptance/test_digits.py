"""A real search on real images: scikit-learn's digits, from the first trial to the export."""

import json

import pytest
import yaml

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

LIGHT = ("--set", "epochs=3", "--set", "backbone=small_cnn", "--set", "image_size=16")


def test_the_digits_are_learned_exported_and_retrained_to_the_last_bit(place, capfd):
    run = ("run", "--study", "digits", "--workers", "1", "--trials", "2", "--no-dashboard", *LIGHT)
    assert place.search(*run, timeout_seconds=280) == 0

    capfd.readouterr()
    assert place.search_here("status", "--study", "digits", "--json") == 0
    trials = json.loads(capfd.readouterr().out)["trials"]
    assert len(trials) == 2
    assert all(trial["state"] in ("COMPLETE", "PRUNED") for trial in trials)

    assert place.search_here("export", "--study", "digits", "--out", "best.yaml") == 0
    exported = yaml.safe_load((place.folder / "best.yaml").read_text())
    assert exported["metrics"]["value_epoch"]["val_top1"] > 0.9
    assert not exported["practice_data"]
    assert place.search_here("retrain", "best.yaml", "--verify") == 0
