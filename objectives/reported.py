"""The metrics that objectives report: direction, range and traits of each."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from objectives.contract import (
    BALANCED_ACCURACY,
    CLOCK_ENDING,
    FOLD,
    FOLD_EPOCH,
    FOLDS_DONE,
    HIGH,
    LOW,
    MACRO_AUC,
    MICRO_BATCH,
    RULER,
    TRAIN_LOSS,
)


@dataclass(frozen=True, kw_only=True)
class _Metric:
    """A reported number; `catalog.ObjectiveFields` explains the traits."""

    direction: str
    doc: str
    low: float | None = 0.0
    high: float | None = None
    is_loss: bool = False
    ranks: bool = True
    changed_by: tuple[str, ...] = ()
    called: tuple[str, ...] = ()


def _mappings(metrics: Mapping[str, _Metric]) -> dict[str, dict[str, Any]]:
    return {
        name: {**asdict(metric), "exact": not name.endswith(CLOCK_ENDING)}
        for name, metric in metrics.items()
    }


def _interval(metric: str, direction: str, high: float | None = None) -> dict[str, _Metric]:
    """Return the two ends of a metric's 95 % interval, drawn over whole groups."""
    return {
        metric + ending: _Metric(
            direction=direction,
            doc=f"{end} end of the 95 % interval of {metric}, over whole groups.",
            high=high,
            ranks=False,
        )
        for ending, end in ((LOW, "Lower"), (HIGH, "Upper"))
    }


# The hyperparameters that change the training loss itself.
_CRITERION = (
    "balancing",
    "ldam",
    "ldam_max_margin",
    "ldam_scale",
    "drw_start",
    "drw_beta",
    "label_smoothing",
)

# The hyperparameters that a single step already depends on. The others need whole epochs, a limit
# that is reached, or a longer average before they show.
_FIRST_LOSS = (
    "backbone",
    "weights",
    "stem",
    "dilated",
    "image_size",
    "augmentation",
    "batch_size",
    "head",
    "hidden_units",
    "dropout",
    "label_smoothing",
    "weighted_sampler",
    "balancing",
    "ldam",
    "ldam_max_margin",
    "ldam_scale",
    "drw_beta",
    "use_metadata",
    "metadata_units",
    "metadata_dropout",
)
_FIRST_STEP = (*_FIRST_LOSS, "optimizer", "learning_rate", "head_multiple", "layer_decay")

# With folds, each epoch also reports its position in them.
_FOLD_METRICS = {
    FOLD: _Metric(
        direction="maximize", doc="The fold being trained, from 1.", low=1.0, ranks=False
    ),
    FOLD_EPOCH: _Metric(
        direction="maximize", doc="The epoch within this fold, from 1.", low=1.0, ranks=False
    ),
    FOLDS_DONE: _Metric(
        direction="maximize", doc="Number of folds finished after this epoch.", ranks=False
    ),
}

CLASSIFIER_METRICS = _mappings(
    {
        RULER: _Metric(
            direction="minimize",
            doc="The ruler: validation cross-entropy after fitting one temperature.",
            called=("loss",),
        ),
        **_interval(RULER, direction="minimize"),
        "val_cross_entropy": _Metric(
            direction="minimize",
            doc="Validation cross-entropy of the unscaled logits.",
            is_loss=True,
            called=("ce", "nll", "log_loss", "logloss"),
        ),
        "val_criterion": _Metric(
            direction="minimize",
            doc="The training loss on the validation split, margins and weights included.",
            is_loss=True,
            changed_by=_CRITERION,
        ),
        "val_temperature": _Metric(
            direction="minimize",
            doc="The fitted temperature, which divides the logits; above 1: overconfident.",
            ranks=False,
        ),
        "val_ece": _Metric(
            direction="minimize",
            doc="Expected calibration error of the unscaled logits.",
            high=1.0,
            called=("calibration", "calibration_error"),
        ),
        "val_top1": _Metric(
            direction="maximize",
            doc="Share of validation images classified correctly.",
            high=1.0,
            called=("acc", "accuracy", "top1_acc", "top1_accuracy"),
        ),
        "val_top3": _Metric(
            direction="maximize",
            doc="Share of validation images with the true class among the three highest logits.",
            high=1.0,
            called=("top3_acc", "top3_accuracy"),
        ),
        BALANCED_ACCURACY: _Metric(
            direction="maximize",
            doc="Mean recall over the classes.",
            high=1.0,
            called=("balanced_acc", "bal_acc", "bacc", "recall", "macro_recall", "uar"),
        ),
        **_interval(BALANCED_ACCURACY, direction="maximize", high=1.0),
        "val_macro_f1": _Metric(
            direction="maximize",
            doc="Mean F1 score over the classes.",
            high=1.0,
            called=("f1", "f1_score", "f1_macro", "fscore"),
        ),
        MACRO_AUC: _Metric(
            direction="maximize",
            doc="Mean one-vs-rest AUC over the classes.",
            high=1.0,
            called=("auc", "auroc", "roc", "roc_auc", "rocauc", "auc_roc", "macro_auroc"),
        ),
        TRAIN_LOSS: _Metric(
            direction="minimize",
            doc="Mean training loss over the epoch's steps.",
            is_loss=True,
            changed_by=_CRITERION,
        ),
        MICRO_BATCH: _Metric(
            direction="maximize",
            doc="Images per forward pass; below the batch size where memory was short.",
            low=1.0,
            ranks=False,
        ),
        "learning_rate": _Metric(
            direction="minimize",
            doc="The highest rate of the parts that learn, at the epoch's last step.",
            ranks=False,
        ),
        "first_loss": _Metric(
            direction="minimize",
            doc="Loss of one batch before any step; weights and batch come from the study's seed.",
            ranks=False,
            changed_by=_FIRST_LOSS,
        ),
        "first_step": _Metric(
            direction="minimize",
            doc="Loss of the same batch after one step at the full learning rate.",
            ranks=False,
            changed_by=_FIRST_STEP,
        ),
        "data_wait_s": _Metric(
            direction="minimize", doc="Seconds of the epoch spent waiting for images.", ranks=False
        ),
        "compute_s": _Metric(
            direction="minimize",
            doc="The other seconds of the epoch's training steps.",
            ranks=False,
        ),
        **_FOLD_METRICS,
        "pooled_auc": _Metric(
            direction="maximize",
            doc="AUC of the validation images of all finished folds, ranked together; each fold's "
            "network is the one of its last epoch.",
            high=1.0,
            ranks=False,
        ),
        **_interval("pooled_auc", direction="maximize", high=1.0),
    }
)

TOY_METRICS = _mappings(
    {
        RULER: _Metric(
            direction="minimize",
            doc="A loss that falls fastest near a learning rate of 0.01.",
            called=("loss",),
        ),
        TRAIN_LOSS: _Metric(
            direction="minimize", doc="The training loss, without noise.", is_loss=True
        ),
        **_FOLD_METRICS,
    }
)

# The metrics that mean the same in anybody's code: those that follow from the predictions alone. A
# loss has no range there, because a likelihood of numbers may be above 1.
COMMON_METRICS = {
    **_mappings(
        {
            RULER: _Metric(
                direction="minimize",
                doc="The loss on the validation data, as the study's own code computes it.",
                low=None,
                is_loss=True,
            ),
            TRAIN_LOSS: _Metric(
                direction="minimize",
                doc="The loss on the training data, as the study's own code computes it.",
                low=None,
                is_loss=True,
            ),
            **_FOLD_METRICS,
        }
    ),
    **{
        name: CLASSIFIER_METRICS[name]
        for name in (
            "val_ece",
            "val_top1",
            "val_top3",
            BALANCED_ACCURACY,
            "val_macro_f1",
            MACRO_AUC,
        )
    },
}
