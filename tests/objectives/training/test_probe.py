"""The measured cost of a step."""

from dataclasses import replace

import pytest

from objectives import catalog
from objectives.models.classifier import Classifier
from objectives.recipe.volume import VolumeRecipe
from objectives.training.probe import Probe
from search.studies.declare import data_source
from spaces.data import Brats
from spaces.load import load_study


def test_volumes_are_measured_with_the_modalities_that_the_study_declares(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = replace(load_study("brats"), data=Brats(modalities=("t1", "flair")))
    shapes: list[tuple[int, ...]] = []
    forward = Classifier.forward

    def noted(self: Classifier, images, tabular=None):
        shapes.append(tuple(images.shape))
        return forward(self, images, tabular)

    monkeypatch.setattr(Classifier, "forward", noted)
    probe = Probe(
        recipe=VolumeRecipe(backbone="resnet10_3d_quarter", image_size=16, batch_size=3),
        classes=2,
        channels=catalog.channels(data_source(study, None)),
        device="cpu",
        share=1.0,
    )
    probe.stepping()()
    assert set(shapes) == {(3, 2, 16, 16, 16)}
