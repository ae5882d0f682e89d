"""ResNet-50 against ResNeXt-50 (32x4d) on CIFAR-10, all else equal.

Published figures of the system behind this study: ResNet-50 classified 92.3 % of the test images
correctly, ResNeXt-50 91.8 %, and ResNeXt was about 30 % slower; flips and rotations by 10 degrees,
batches of 32, 50 epochs. With one seed each on 10,000 images that gap is at z = 1.6 to 2.2, and how
the epoch was chosen is not published. So this study carves its validation split out of the training
batches, lets both networks search the same learning rates, and leaves the test batch unopened.
Two choices are ours, because they are not published: the optimizer, and that both networks start
from ImageNet weights at 64 pixels.
"""

from spaces.data import Cifar10
from spaces.params import Choice, Float
from spaces.priors import Prior
from spaces.study import Practice, Study

NETWORKS = ("resnet50", "resnext50_32x4d")

study = Study(
    name="cifar10",
    about="ResNet-50 or ResNeXt-50, all else equal?",
    objective="image_classifier",
    data=Cifar10(),
    metric="val_loss",
    direction="minimize",
    trials=16,
    fixed={
        "image_size": 64,
        "weights": "pretrained",
        "augmentation": "medical",  # the level that flips left to right and rotates a little
        "optimizer": "sgd",
        "weight_decay": 5e-4,
        "batch_size": 32,
        "epochs": 50,
    },
    space=[
        Choice("backbone", NETWORKS),
        Float("learning_rate", 1e-4, 1e-1, log=True, prior=Prior(5e-3, "medium")),
    ],
    # The same learning rates for both, so that the first trials compare like with like.
    enqueue=[
        {"backbone": network, "learning_rate": learning_rate}
        for learning_rate in (5e-3, 2e-2)
        for network in NETWORKS
        if (network, learning_rate) != (NETWORKS[0], 5e-3)  # the prior's mode is tried anyway
    ],
    practice=Practice(trials=4, fixed={"image_size": 32, "weights": "none", "epochs": 3}),
)
