"""A real search on real images in minutes: scikit-learn's 1,797 scanned digits, two CPU cores.

The question: which light network and learning rate classify the digits best at 32 pixels? The prior
is a textbook guess (AdamW at 1e-3) and not a published result.
"""

from spaces.data import Digits
from spaces.params import Choice, Float, Int, Toggle
from spaces.priors import Prior
from spaces.study import Study

study = Study(
    name="digits",
    about="Which light network and learning rate read scanned digits best?",
    objective="image_classifier",
    data=Digits(),
    metric="val_loss",
    direction="minimize",
    trials=12,
    fixed={"image_size": 32, "weights": "none", "augmentation": "shift"},
    space=[
        Choice("backbone", {"small_cnn": 0.7, "resnet18": 0.3}),
        Float("learning_rate", 1e-4, 3e-2, log=True, prior=Prior(2e-3, "medium")),
        Choice("batch_size", (32, 64, 128)),
        Int("epochs", 4, 8),
        Toggle("ldam", prior=0.3),
    ],
)
