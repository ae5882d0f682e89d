"""Masks are told from images by the image that they belong to."""

from collections.abc import Callable

import pytest

from objectives.contract import DataSource
from objectives.data.checks.check import check_data
from objectives.data.layouts.class_folders import ClassFolders
from objectives.data.layouts.masks import find_masks
from objectives.data.manifest.manifest import read_manifest
from tests.objectives.conftest import write_image
from tests.objectives.data.left_out import numbers


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("a/benign (1).png", "a/benign (1)_mask.png"),
        ("a/benign (1).png", "a/benign (1)_mask_1.png"),
        ("a/ISIC_0.jpg", "a/ISIC_0_segmentation.png"),
        ("a/ISIC_0.jpg", "a/ISIC_0_superpixels.png"),
        ("1.png", "1_GT.png"),
        ("a/1.png", "a/mask_1.png"),
        ("a/1.png", "a/masks/1.png"),
        ("a/1.png", "a/Masks/1_mask.png"),
        ("images/a/1.jpg", "masks/a/1.png"),
        ("set/images/1.jpg", "set/ground_truth/1.png"),
        ("benign/1.png", "masks/benign/1.png"),
        ("benign/1.png", "benign_masks/1.png"),
        ("train/benign/1.png", "train_masks/benign/1_mask.gif"),
        ("COVID-19/images/1.png", "COVID-19/lung masks/1.png"),
        ("COVID-19/images/1.png", "COVID-19/infection_masks/1.png"),
        ("a/Raw/1.png", "a/Lesion Segmentation/1_seg.png"),
        ("test/images/21_test.tif", "test/1st_manual/21_manual1.gif"),
        ("a/1.png", "masks of lesions/a/1.png"),
    ],
)
def test_a_mask_is_known_by_its_image(image: str, mask: str) -> None:
    assert find_masks([image, mask]) == {mask}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a/2.png", "a/1_mask.png"),
        ("mask/1.png", "no_mask/1.png"),
        ("with_mask/1.png", "without_mask/1.png"),
        ("a/1.png", "b/1_mask.png"),
        ("a/unmask.png", "a/un.png"),
        ("face masks/1.png", "diagrams/1.png"),
        ("images/2_a.png", "manual/1.png"),
    ],
)
def test_an_image_without_the_one_that_it_would_belong_to_stays_an_image(
    one: str, other: str
) -> None:
    assert find_masks([one, other]) == set()


def test_masks_beside_the_images_are_counted_and_not_trained_on(
    class_folders: Callable[..., DataSource],
) -> None:
    source = class_folders("a", "b")
    assert source.folder
    for path in list(source.folder.rglob("*.png")):
        write_image(path.with_stem(f"{path.stem}_mask"))
    listing = ClassFolders(source).find_images()
    assert len(listing.found) == 16
    assert numbers(listing.left_out) == {"masks beside their images": 16}


def test_a_class_that_may_be_masks_of_another_is_told(
    class_folders: Callable[..., DataSource],
) -> None:
    source = class_folders("face", "hand", group=r"^(slide\d+)")
    assert source.folder
    for path in list((source.folder / "face").iterdir()):
        write_image(source.folder / "face_mask" / path.name)
    (told,) = (each for each in check_data(source, read_manifest(source)) if each.rule == "C18")
    assert "nothing is used of 'face_mask'" in told.message
