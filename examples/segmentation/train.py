"""Train a U-Net of MONAI on the images, masks and splits of a study."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from monai.data import DataLoader, Dataset
from monai.losses import DiceCELoss, DiceLoss
from monai.metrics import DiceMetric
from monai.networks.nets import UNet
from monai.transforms import Compose, LoadImaged, RandFlipd, ScaleIntensityd, Transform

from objectives.contract import Attempt, EpochResult
from objectives.files.checkpoints import commit, newest_good
from objectives.recipe.fields import choice, number, whole

BOTH = ("image", "mask")
READ = (LoadImaged(BOTH, ensure_channel_first=True), ScaleIntensityd(BOTH))
LOSSES = {"dice": DiceLoss(sigmoid=True), "dice_ce": DiceCELoss(sigmoid=True)}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    learning_rate: float = number(1e-3, 1e-6, 1.0, "Step of AdamW.")
    width: int = whole(16, 2, 64, "Channels of the first level.", unit="channels")
    loss: str = choice("dice_ce", ("dice", "dice_ce"), "Dice alone or with cross-entropy.")
    batch_size: int = whole(8, 1, 64, "Images of a step.", unit="images")
    epochs: int = whole(20, 1, 1000, "Length of the training.", unit="epochs")


def train(recipe: Recipe, attempt: Attempt) -> Iterator[EpochResult]:
    torch.manual_seed(attempt.seed)
    levels = [recipe.width * 2**level for level in range(4)]
    network = UNet(2, 3, 1, levels, strides=(2, 2, 2), num_res_units=1).to(attempt.device)
    optimizer = torch.optim.AdamW(network.parameters(), recipe.learning_rate)
    done = 0
    if last := attempt.resume_from and newest_good([attempt.resume_from]):
        saved = torch.load(last, map_location=attempt.device)
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        done = saved["epoch"]
    for epoch in range(done + 1, recipe.epochs + 1):
        torch.manual_seed(attempt.seed + epoch)  # a resumed epoch has the same batches again
        network.train()
        for image, mask in batches(recipe, attempt, "train", RandFlipd(BOTH, 0.5, 0)):
            loss = LOSSES[recipe.loss](network(image), mask)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        dice = DiceMetric()
        network.eval()
        with torch.inference_mode():
            for image, mask in batches(recipe, attempt, "val"):
                dice(network(image) > 0, mask)
        state = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
        commit(attempt.folder, epoch, partial(torch.save, {**state, "epoch": epoch}))
        yield EpochResult(epoch=epoch, metrics={"val_dice": dice.aggregate().item()})


def batches(
    recipe: Recipe, attempt: Attempt, split: str, *augment: Transform
) -> Iterator[tuple[torch.Tensor, ...]]:
    rows = [{"image": row.path, "mask": row.columns["mask"]} for row in attempt.rows(split)]
    images = Dataset(rows, Compose([*READ, *augment]))
    for batch in DataLoader(images, batch_size=recipe.batch_size, shuffle=split == "train"):
        attempt.progress()
        yield tuple(batch[name].as_tensor().to(attempt.device) for name in BOTH)
