"""The measured cost of a step, also where memory is too short for one."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from objectives import catalog
from objectives.models.classifier import Classifier
from objectives.recipe.volume import VolumeRecipe
from objectives.training.probe import Probe
from search.studies.declare import data_source
from spaces.data import Brats
from spaces.load import load_study

# What the process may still take is less than the second network's weights; the limit is the
# kernel's.
MEASURE = """
import resource, sys
from objectives import image_classifier  # now, while there is memory for it
from objectives.training.probe import main
taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limit = taken + 64 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
networks = ["small_cnn", "resnet50"]
configs = [{"backbone": each, "image_size": 32, "batch_size": 2} for each in networks]
asked = {"objective": "image_classifier", "configs": configs, "classes": 3, "channels": 3}
sys.exit(main({**asked, "device": "cpu", "share": 1.0}))
"""


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


@pytest.mark.slow
def test_a_network_that_the_host_has_no_memory_for_is_one_that_does_not_fit() -> None:
    command = [sys.executable, "-P", "-c", MEASURE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    small, large = map(json.loads, done.stdout.splitlines())
    assert small["micro_batch"] == 2
    assert large["micro_batch"] == 0
