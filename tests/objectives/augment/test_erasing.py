import pytest
import torch
from torchvision.transforms.v2 import functional as F

from objectives.augment.erasing import boxes, erase_


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_box_is_erased_as_torchvision_erases_it() -> None:
    images = torch.rand((20, 3, 32, 24), generator=generator(1)) + 1
    expected = images.clone()
    for image, (top, left, rows, columns) in zip(
        expected, boxes(20, 32, 24, generator()).tolist(), strict=True
    ):
        if rows:
            F.erase(image, top, left, rows, columns, torch.zeros(3, 1, 1), inplace=True)
    assert torch.equal(erase_(images, generator()), expected)


def test_half_of_the_images_are_erased_each_in_a_box_of_its_own() -> None:
    drawn = boxes(2000, 64, 64, generator())
    erased = drawn[drawn[:, 2] > 0]
    assert 900 < len(erased) < 1100
    assert len(erased.unique(dim=0)) > 850


@pytest.mark.parametrize(("height", "width"), [(64, 64), (200, 120)])
def test_a_box_lies_inside_and_covers_2_to_33_percent_in_a_ratio_of_at_most_10_to_3(
    height: int, width: int
) -> None:
    drawn = boxes(4000, height, width, generator())
    top, left, rows, columns = drawn[drawn[:, 2] > 0].T
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (top + rows <= height).all()
    assert (left + columns <= width).all()
    share, ratio = rows * columns / (height * width), rows / columns
    assert 0.015 < share.min() < 0.04
    assert 0.28 < share.max() < 0.34
    assert ratio.min() > 0.3 * 0.85  # rounded to whole pixels
    assert ratio.max() < 1 / 0.3 / 0.85


def test_an_erased_image_is_zero_in_all_colours_and_else_as_it_was() -> None:
    images = torch.ones((50, 3, 16, 16))
    erase_(images, generator())
    assert set(images.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(images[:, 0], images[:, 2])
