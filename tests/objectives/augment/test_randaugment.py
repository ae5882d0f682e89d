import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import RandAugment

from objectives.augment import randaugment
from objectives.augment.randaugment import rand_augment


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def picture(side: int = 24) -> Tensor:
    """Draw one image whose every operation shows, not grey and not of the full range."""
    return torch.randint(30, 220, (1, 3, side, side), generator=generator(5)).to(torch.uint8)


def looks(images: Tensor) -> set[bytes]:
    return {image.numpy().tobytes() for image in images}


def test_one_round_gives_the_images_that_torchvisions_class_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(randaugment, "ROUNDS", 1)
    ours = rand_augment(picture().expand(600, -1, -1, -1), generator())
    torch.manual_seed(0)
    theirs = torch.cat([RandAugment(num_ops=1)(picture()) for _ in range(600)])
    # Nine operations of either sign and five without one.
    assert len(looks(ours)) == 23
    assert looks(ours) == looks(theirs)


def test_every_operation_is_drawn_equally_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(randaugment, "ROUNDS", 1)
    images = rand_augment(picture().expand(2800, -1, -1, -1), generator())
    counts = sorted(
        sum(image.equal(look) for image in images) for look in torch.unique(images, dim=0)
    )
    # 200 of each of 14 are expected; half of that where the sign tells two apart.
    assert all(60 <= count <= 140 for count in counts[:18])
    assert all(150 <= count <= 250 for count in counts[18:])


def test_two_rounds_act_one_after_the_other() -> None:
    images = rand_augment(picture().expand(600, -1, -1, -1), generator())
    assert len(looks(images)) > 100


def test_each_image_comes_back_to_its_own_place() -> None:
    stripes = torch.arange(0, 200, 10, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 16, 16)
    alone = [rand_augment(stripes, generator(seed)) for seed in range(20)]
    # Shapes move and colours change; the median over draws keeps the brightness's order.
    medians = torch.stack(alone).float().flatten(2).median(2).values.median(0).values
    assert (medians.diff() >= 0).all()


def test_the_generator_alone_decides() -> None:
    images = picture().expand(32, -1, -1, -1)
    before = torch.random.get_rng_state()
    first = rand_augment(images, generator(3))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(rand_augment(images, generator(3)), first)
    assert not torch.equal(rand_augment(images, generator(4)), first)
