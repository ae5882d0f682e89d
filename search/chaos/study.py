"""The study that `search chaos` runs: learning curves without a network."""

from spaces.params import Float, Int
from spaces.study import Study

study = Study(
    name="chaos",
    about="Does anything get lost?",
    objective="toy_curve",
    metric="val_loss",
    direction="minimize",
    trials=10_000,  # more than the rounds can use: the budget is set once they are over
    fixed={"seconds_per_epoch": 0.25},
    space=[Float("learning_rate", 1e-4, 1.0, log=True), Int("epochs", 5, 9)],
)
