"""The results of trials in the scenes: metrics of an epoch, and the tables that a trial keeps."""

from random import Random

from objectives.contract import CONFUSION_MATRIX, GROUPS, PER_CLASS

CLASSES = ("Benign", "Gleason 3", "Gleason 4", "Gleason 5-Single Cells")


def metrics(value: float) -> dict[str, float]:
    """The metrics of an epoch with this loss, with their intervals."""
    accuracy = 1.02 - value / 2
    return {
        "val_loss": value,
        "val_loss_low": value - 0.025,
        "val_loss_high": value + 0.03,
        "train_loss": value - 0.05,
        "val_balanced_accuracy": accuracy,
        "val_balanced_accuracy_low": accuracy - 0.025,
        "val_balanced_accuracy_high": accuracy + 0.022,
        "val_macro_auc": 1.12 - value / 2,
        "data_wait_s": 9.9,
        "compute_s": 48.1,
    }


def tables(number: int, value: float) -> dict[str, str]:
    """Write the tables of a trial on 400 images of 40 slides of each of four classes."""
    random = Random(number)
    rows = ["group,class,images,right,loss"]
    losses = [random.gauss(0, 0.05) for _ in range(160)]
    middle = sum(losses) / len(losses)
    for place, loss in enumerate(losses):
        name = CLASSES[place % 4]
        rows.append(f"slide {place},{name},10,8,{10 * (value + loss - middle):.7f}")
    recalls = ["class,images,groups,recall,recall_low,recall_high"]
    confusion = ["true class," + ",".join(f"taken for {name}" for name in CLASSES)]
    for place, name in enumerate(CLASSES):
        right = 374 - 40 * place - 10 * (number % 3)
        recalls.append(f"{name},400,40,{right / 400},{right / 400 - 0.04},{right / 400 + 0.03}")
        taken = [str(right if other == place else (400 - right) // 3) for other in range(4)]
        confusion.append(",".join([name, *taken]))
    return {
        GROUPS: "\n".join(rows) + "\n",
        PER_CLASS: "\n".join(recalls) + "\n",
        CONFUSION_MATRIX: "\n".join(confusion) + "\n",
    }
