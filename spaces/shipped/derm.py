"""Skin lesions from a photograph and the patient's data: recipe or architecture?

Published figures of the system behind this study (26 classes, 128,000 training images, 16,380 test
images of other patients, 224 pixels, one frozen epoch, then fine-tuning, seed 17):

| network | recipe | top-1 | top-3 | AUC |
|---|---|---|---|---|
| convnextv2_base | AdamW 1e-4, cosine, strong augmentation | .704 | .900 | .957 |
| convnextv2_tiny | AdamW 1e-4, cosine | .688 | .893 | .954 |
| resnet50 | AdamW 1e-4, cosine | .680 | .888 | .951 |
| resnet50, as in production | RMSprop 1e-3 | .657 | .866 | .945 |

Of the 3.1 points between the last row and convnextv2_tiny, the recipe made 2.3, the architecture
.8. A screening on 24,000 images for 5 epochs kept the order (.621 against .610), so this study runs
the screening. `search run --study derm --as derm-full --promote derm --set max_train_samples=0
--set max_val_samples=0 --set epochs=19` then trains its best third on all of the data. The best
weights came 2 to 3 epochs after unfreezing, so patience is 3. RMSprop at 1e-3 made ConvNeXt and
DINOv2 diverge in fine-tuning: the badge of such a trial says that fine-tuning never helped. The
trials of all four rows run first.

The columns are those of PAD-UFES-20; all images of a patient are in one split.
"""

from spaces.data import Table
from spaces.params import Choice, Float
from spaces.priors import Prior
from spaces.space import TrialConfig
from spaces.study import Practice, Study

PRODUCTION: TrialConfig = {
    "optimizer": "rmsprop",
    "learning_rate": 1e-3,
    "schedule": "constant",
    "augmentation": "light",
    "dropout": 0.0,
    "weight_decay": 1e-6,  # next to none; the decay is not published
}
SECOND_ROUND: TrialConfig = {
    "optimizer": "adamw",
    "learning_rate": 1e-4,
    "schedule": "cosine",
    "augmentation": "strong",
    "dropout": 0.3,
    "weight_decay": 0.1,
}

study = Study(
    name="derm",
    about="Recipe or architecture: what moves top-1?",
    objective="image_classifier",
    data=Table(
        "metadata.csv",
        path="img_id",
        label="diagnostic",
        group="patient_id",
        split="split",
        metadata={
            "age": "number",
            "diameter_1": "number",
            "fitspatrick": "number",  # the skin's type, 1 to 6
            "gender": "category",
            "region": "category",
        },
    ),
    metric="val_loss",
    direction="minimize",
    trials=24,
    seed=17,
    fixed={
        "use_metadata": True,
        "image_size": 224,
        "weights": "pretrained",
        "max_train_samples": 24_000,
        "max_val_samples": 4_000,
        "epochs": 6,
        "frozen_epochs": 1,
        "frozen_learning_rate": 2e-3,
        "warmup_steps": 200,
        "patience": 3,
        "momentum": 0.0,  # torch's own default for RMSprop
    },
    space=[
        Choice(
            "backbone",
            {
                "resnet50": 0.35,
                "convnextv2_tiny": 0.25,
                "convnextv2_base": 0.2,
                "efficientnetv2_s": 0.1,
                "dinov2_vits14": 0.1,
            },
        ),
        Choice("optimizer", {"adamw": 0.8, "rmsprop": 0.2}),
        Float("learning_rate", 1e-5, 3e-3, log=True, prior=Prior(1e-4, "medium")),
        Choice("schedule", {"cosine": 0.8, "constant": 0.2}),
        Choice("augmentation", {"strong": 0.6, "light": 0.4}),
        Float("dropout", 0.0, 0.5, prior=Prior(0.3, "medium")),
        Float("weight_decay", 1e-6, 0.3, log=True, prior=Prior(0.1, "medium")),
        Choice("batch_size", (32, 64, 128)),  # not published
    ],
    enqueue=[
        {"backbone": "resnet50", "batch_size": 64, **PRODUCTION},
        {"backbone": "resnet50", "batch_size": 64, **SECOND_ROUND},
        {"backbone": "convnextv2_tiny", "batch_size": 64, **SECOND_ROUND},
        {"backbone": "convnextv2_base", "batch_size": 64, **SECOND_ROUND},
    ],
    practice=Practice(
        trials=4,
        fixed={"image_size": 48, "weights": "none", "warmup_steps": 10},
        space=[
            Choice("backbone", {"resnet18": 0.5, "resnet34": 0.5}),
            Choice("batch_size", (16, 32, 64)),
        ],
    ),
)
