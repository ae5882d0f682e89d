"""Segment lesions: `search run --study segment.py --data FOLDER`, with FOLDER from draw.py."""

from spaces.data import Table
from spaces.params import Choice, Float, Int
from spaces.study import Study

study = Study(
    name="segment",
    objective="train.py:train",
    data=Table(
        "lesions.csv", path="image", label="diagnosis", group="patient", metadata={"mask": "file"}
    ),
    metric="val_dice",
    direction="maximize",
    trials=20,
    fixed={"epochs": 10},
    space=[
        Float("learning_rate", 1e-4, 1e-1, log=True),
        Int("width", 4, 32, log=True),
        Choice("loss", ["dice", "dice_ce"]),
    ],
)
