"""What objectives report: every metric with its direction, range and traits."""

from typing import Any


def _metric(
    direction: str,
    doc: str,
    high: float | None = None,
    *,
    low: float = 0.0,
    exact: bool = True,
    is_loss: bool = False,
    ranks: bool = True,
    changed_by: tuple[str, ...] = (),
) -> dict[str, Any]:
    bounds = {"direction": direction, "low": low, "high": high}
    traits = {"exact": exact, "is_loss": is_loss, "ranks": ranks, "changed_by": changed_by}
    return {**bounds, **traits, "doc": doc}


# What the loss that is trained depends on.
_CRITERION = (
    *("balancing", "ldam", "ldam_max_margin", "ldam_scale", "drw_start", "drw_beta"),
    "label_smoothing",
)

# Where the study has folds, each epoch also says where in them it stands.
_FOLD_METRICS = {
    "fold": _metric("maximize", "The fold that is trained, from 1 on.", low=1.0, ranks=False),
    "fold_epoch": _metric(
        "maximize", "The epoch within this fold, from 1 on.", low=1.0, ranks=False
    ),
    "folds_done": _metric("maximize", "How many folds are over after this epoch.", ranks=False),
}

# What one step shows at once; the rest needs epochs, a limit that is reached, or a longer sum.
_FIRST_LOSS = (
    *("backbone", "weights", "stem", "dilated", "image_size", "augmentation", "batch_size"),
    *("head", "hidden_units", "dropout", "label_smoothing", "weighted_sampler"),
    *("balancing", "ldam", "ldam_max_margin", "ldam_scale", "drw_beta"),
    *("use_metadata", "metadata_units", "metadata_dropout"),
)
_FIRST_STEP = (*_FIRST_LOSS, "optimizer", "learning_rate", "head_multiple", "layer_decay")

CLASSIFIER_METRICS = {
    "val_loss": _metric(
        "minimize", "The ruler: cross-entropy of the validation split after one fitted temperature."
    ),
    "val_cross_entropy": _metric(
        "minimize", "The same, with the logits as they are.", is_loss=True
    ),
    "val_criterion": _metric(
        "minimize",
        "The loss that is trained, on the validation split, margins included.",
        is_loss=True,
        changed_by=_CRITERION,
    ),
    "val_temperature": _metric(
        "minimize", "What the logits were divided by; over 1: too sure.", ranks=False
    ),
    "val_ece": _metric(
        "minimize", "How far confidence and accuracy are apart, with the logits as they are.", 1.0
    ),
    "val_top1": _metric("maximize", "Share of validation images classified right.", 1.0),
    "val_top3": _metric(
        "maximize", "Share of validation images whose class is among the first three.", 1.0
    ),
    "val_balanced_accuracy": _metric("maximize", "Mean of the classes' recalls.", 1.0),
    "val_macro_f1": _metric("maximize", "Mean of the classes' F1 scores.", 1.0),
    "val_macro_auc": _metric("maximize", "Mean of the classes' one-against-rest AUCs.", 1.0),
    "train_loss": _metric(
        "minimize",
        "Mean of the loss that is trained, over the epoch's steps.",
        is_loss=True,
        changed_by=_CRITERION,
    ),
    "micro_batch": _metric(
        "maximize",
        "Images passed at once; less than the batch where memory was short.",
        low=1.0,
        ranks=False,
    ),
    "first_loss": _metric(
        "minimize",
        "Loss of one batch before any step, all of it from the study's seed.",
        ranks=False,
        changed_by=_FIRST_LOSS,
    ),
    "first_step": _metric(
        "minimize",
        "The same after one step at the full learning rate.",
        ranks=False,
        changed_by=_FIRST_STEP,
    ),
    "data_wait_s": _metric(
        "minimize", "Seconds the epoch waited for images.", exact=False, ranks=False
    ),
    "compute_s": _metric(
        "minimize", "Seconds the epoch's steps took otherwise.", exact=False, ranks=False
    ),
    **_FOLD_METRICS,
    "pooled_auc": _metric(
        "maximize",
        "AUC of the validation images of all folds that are over, each at its lowest val_loss, "
        "ranked together.",
        1.0,
        ranks=False,
    ),
    "pooled_auc_low": _metric("maximize", "Where its 95 % interval begins.", 1.0, ranks=False),
    "pooled_auc_high": _metric("maximize", "Where its 95 % interval ends.", 1.0, ranks=False),
}

TOY_METRICS = {
    "val_loss": _metric("minimize", "A loss that falls best near a learning rate of 0.01."),
    "train_loss": _metric("minimize", "The same without noise.", is_loss=True),
    **_FOLD_METRICS,
}
