"""Anemia from photographs of the conjunctiva: phased unfreezing against plain fine-tuning.

Published figures of the system behind this study: ResNet-50 with a hidden layer of 512 and dropout
.5, flips, rotation 15, colour jitter .2, shift 10 % and zoom 80-120 %; classes weighted in the
loss; Adam at 1e-4 with decay 1e-4; five epochs of the head alone, then the last stage as well; the
learning rate halved after 3 epochs without a better validation loss, the end after 5. It reached
95.4 % on validation after 23 epochs, against 82.1 % after 40 with the backbone never unfrozen.

The open question: are the phases, the single stage and the plateau needed, or does fine-tuning the
whole network at once do as well? Public data sets hold copies of an image under other names, and
the same bytes under both labels; `search check` finds these before anything is trained.
"""

from spaces.data import ClassFolders
from spaces.params import Choice, Float
from spaces.priors import Prior
from spaces.study import Practice, Study

study = Study(
    name="anemia",
    about="Phased unfreezing and a plateau schedule, or plain fine-tuning?",
    objective="image_classifier",
    data=ClassFolders(group=r"^(.*?-\d+)"),  # the subject: both eyes, and copies of either
    metric="val_loss",
    direction="minimize",
    trials=24,
    fixed={
        "backbone": "resnet50",
        "weights": "pretrained",
        "image_size": 224,
        "augmentation": "medical",
        "head": "hidden",
        "hidden_units": 512,
        "dropout": 0.5,
        "balancing": "class_weights",
        "optimizer": "adam",
        "weight_decay": 1e-4,
        "warmup_epochs": 0,
        "plateau_factor": 0.5,
        "plateau_patience": 3,
        "epochs": 40,
        "patience": 5,
    },
    space=[
        Choice("frozen_epochs", {5: 0.6, 0: 0.4}),
        Choice("trained_stages", {1: 0.6, 0: 0.4}),  # of the backbone, from the last; 0 is all
        Choice("schedule", {"plateau": 0.6, "cosine": 0.4}),
        Float("learning_rate", 1e-5, 1e-3, log=True, prior=Prior(1e-4, "high")),
        Choice("batch_size", (16, 32, 64)),  # not published
    ],
    enqueue=[
        {"frozen_epochs": 5, "trained_stages": 1, "schedule": "plateau", "learning_rate": 1e-4},
        {"frozen_epochs": 0, "trained_stages": 0, "schedule": "cosine", "learning_rate": 1e-4},
    ],
    practice=Practice(
        trials=4,
        fixed={"backbone": "resnet18", "image_size": 48, "weights": "none", "epochs": 10},
        space=[
            # A backbone without pretrained weights must learn too, and at a higher rate.
            Choice("frozen_epochs", (1, 0)),
            Float("learning_rate", 1e-4, 1e-2, log=True, prior=Prior(1e-3, "high")),
            Choice("batch_size", (16, 32)),
        ],
    ),
)
