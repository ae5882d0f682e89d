"""The study of `search chaos --script`: the same learning curves, from a script of one's own."""

from spaces.params import Float, Int
from spaces.script import Script
from spaces.study import Study

study = Study(
    name="chaos",
    about="Does anything get lost of a script?",
    objective=Script("python curve.py", deterministic=True, grace_seconds=5.0),
    metric="val_loss",
    direction="minimize",
    trials=10_000,  # more than the rounds can use: the budget is set once they are over
    fixed={"seconds_per_epoch": 0.25},
    space=[Float("learning_rate", 1e-4, 1.0, log=True), Int("epochs", 5, 9)],
)
