"""A trial is trained again from the weights that it started from, or not at all."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from objectives import catalog
from objectives.files.digest import sha256
from objectives.models.small_cnn import SmallCNN
from search.cli import main
from search.exports.exported import ExportedEpoch
from search.exports.retrain import train_again
from spaces.errors import StudyError
from tests.search.exports.an_export import make_export

DIGITS = {"backbone": "small_cnn", "image_size": 32, "epochs": 1, "warmup_epochs": 0}
QUICK = {"batch_size": 256, "augmentation": "none", "max_train_samples": 256}
LAST = ExportedEpoch(1, {"val_loss": 0.5})


@pytest.mark.slow
def test_a_trial_is_trained_again_from_the_same_weights_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "mine.pt"
    torch.save(SmallCNN().state_dict(), weights)
    config = {**DIGITS, **QUICK, "weights": str(weights)}
    exported = make_export("image_classifier", config, {"kind": "digits"}, LAST)
    same = replace(exported, weights={"file": "mine.pt", "sha256": sha256(weights)})
    another = replace(exported, weights={"file": "mine.pt", "sha256": 64 * "a"})
    # The process that builds the network takes 2 s.
    monkeypatch.setattr(catalog, "preflight", cache_of_one(catalog.preflight))

    results = train_again(same, tmp_path / "out", None, "cpu")
    assert [each.epoch for each in results] == [1]
    with pytest.raises(StudyError, match=r"are not the file mine\.pt that trial 3 .*set we"):
        train_again(another, tmp_path / "out", None, "cpu")


def cache_of_one(function: Callable[..., Any]) -> Callable[..., Any]:
    """Build a function that calls another one once and gives that answer ever after."""
    answers: list[Any] = []

    def answer(*arguments: Any) -> Any:
        answers.extend([] if answers else [function(*arguments)])
        return answers[0]

    return answer


@pytest.mark.parametrize(
    ("weights", "field"), [("text", "weights"), ({"sha256": 3}, "weights.sha256")]
)
def test_an_export_with_unusable_weights_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], weights: object, field: str
) -> None:
    path = tmp_path / "best.yaml"
    exported = make_export("image_classifier", DIGITS, {"kind": "digits"}, LAST)
    path.write_text(yaml.safe_dump({**exported.as_mapping(), "weights": weights}))

    assert main(["retrain", str(path)]) == 2
    assert f"has no usable {field!r}; export the trial again" in capsys.readouterr().err
