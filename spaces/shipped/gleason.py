"""Gleason grading of prostate histopathology patches: four classes, imbalanced by 33 to 1.

Published figures of the system behind this study: about 56,000 patches of 250 x 240 pixels (Benign
19,695, Gleason 3 26,816, Gleason 4 8,461, Gleason 5-Single Cells 815), searched on one GH200 with
two workers. The questions: does depth help (ResNet-34 against ResNet-50), which learning rate,
batch size and schedule, LDAM or a weighted sampler? `--set backbone=resnet34` fixes the backbone.
"""

from spaces.data import FileNames
from spaces.params import Choice, Float, Int, Toggle
from spaces.priors import Prior
from spaces.study import Practice, Study

study = Study(
    name="gleason",
    about="Does depth help, and which balancing: LDAM or a weighted sampler?",
    objective="image_classifier",
    data=FileNames(
        label=r"_(\d)\.png$",
        group=r"^(.+?)\.tif",  # the slide: all patches of one slide are in one split
        skip=("4", "5"),
        names={
            "0": "Benign",
            "1": "Gleason 3",
            "2": "Gleason 4",
            "3": "Gleason 5-Single Cells",
            "4": "Gleason 5-Secretions",
            "5": "Gleason 5",
        },
    ),
    metric="val_loss",
    direction="minimize",
    trials=40,
    fixed={"image_size": 224, "augmentation": "light", "weights": "pretrained"},
    space=[
        Choice("backbone", {"resnet50": 0.8, "resnet34": 0.2}),
        Float("learning_rate", 1e-5, 1e-2, log=True, prior=Prior(1e-4, "medium")),
        Choice("batch_size", (32, 64, 128, 256)),
        Int("epochs", 5, 20),
        Toggle("ldam"),
        Toggle("weighted_sampler"),
        Float("ldam_max_margin", 0.1, 0.8, when={"ldam": True}),
    ],
    practice=Practice(
        trials=8,
        fixed={"image_size": 32, "weights": "none"},
        space=[
            # From scratch on small patches 1e-4 is too slow: .68 against .92 at 3e-3, measured.
            Float("learning_rate", 1e-4, 1e-2, log=True, prior=Prior(2e-3, "medium")),
            Choice("batch_size", (16, 32, 64)),
            Int("epochs", 3, 8),
        ],
    ),
)
