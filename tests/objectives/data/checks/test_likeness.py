import io

import imagehash
import numpy as np
import pytest
from PIL import Image

from objectives.data.checks.likeness import PAIRS, find_alike, phash
from objectives.data.pixels.facts import LOWEST, look_at_file
from tests.objectives.data.checks.conftest import photograph


def saved(image: Image.Image, kind: str = "PNG", **how: int) -> bytes:
    """Return the bytes of an image file."""
    contents = io.BytesIO()
    image.save(contents, kind, **how)
    return contents.getvalue()


def pairs_among(*images: bytes) -> set[tuple[int, int]]:
    """Find the pairs of images that look the same, by their numbers."""
    frequencies = [look_at_file(each).frequencies for each in images]
    return {(one, other) for pairs in find_alike(frequencies) for one, other in pairs.tolist()}


def bits(contents: bytes) -> np.ndarray:
    rooted = np.frombuffer(look_at_file(contents).frequencies, np.int8).astype(np.float32)
    return phash((np.sign(rooted) * rooted**2).reshape(1, LOWEST, LOWEST))[0]


def test_the_bits_are_those_of_imagehash_but_for_the_mean() -> None:
    images = [photograph(seed, (120, 90)) for seed in range(20)]
    theirs = [imagehash.phash(image).hash.ravel() for image in images]
    distances = [
        (bits(saved(image)) != each).sum() for image, each in zip(images, theirs, strict=True)
    ]
    assert max(distances) <= 2  # the mean, which we leave out, and whom the median moves past


@pytest.mark.parametrize("turning", list(Image.Transpose))
def test_an_image_looks_like_itself_in_every_turning(turning: Image.Transpose) -> None:
    image = photograph(1)
    assert pairs_among(saved(image), saved(image.transpose(turning))) == {(0, 1)}


def test_an_image_looks_like_its_copy_of_another_program() -> None:
    image = photograph(2, (200, 160))
    copies = (
        saved(image, "JPEG", quality=50),
        saved(image.resize((100, 80))),
        saved(image.convert("L")),
        saved(image.convert("RGBA")),
    )
    assert {(0, 1), (0, 2), (0, 3), (0, 4)} <= pairs_among(saved(image), *copies)


def test_different_images_and_even_ones_look_like_nothing() -> None:
    images = [saved(photograph(seed)) for seed in range(60)]
    even = [saved(Image.new("L", (40, 40), grey)) for grey in (0, 0, 255)]
    assert pairs_among(*images, *even) == set()


def test_digits_of_one_kind_are_not_taken_for_one_image() -> None:
    from sklearn.datasets import load_digits

    scans = load_digits()
    ones = (scans.images[scans.target == 1] * 15).astype(np.uint8)
    assert pairs_among(*(saved(Image.fromarray(each)) for each in ones)) == set()


def test_many_that_look_alike_are_compared_few_at_a_time() -> None:
    same = [look_at_file(saved(photograph(1))).frequencies] * 250
    parts = list(find_alike(same))
    assert sum(map(len, parts)) == 250 * 249 / 2
    assert max(map(len, parts)) == PAIRS
