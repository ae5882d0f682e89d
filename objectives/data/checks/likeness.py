"""Near-duplicate images, mirrored and turned ones included, by their lowest frequencies.

Mirroring an image or turning it by right angles changes its DCT coefficients by signs and a
transposition only, so that one look at an image is enough for all eight turnings.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from objectives.data.pixels.facts import LOWEST

# Of 3.7 million pairs of different images (practice patches, practice lesions, scikit-learn's
# digits) none passes both; of copies saved as JPEG at quality 25 to 90, mirrored, turned, halved,
# made grey or a little brighter, 98 to 100 % pass. The digits alone have 61 pairs of different
# images within a distance of 4.
MOST_BITS = 6  # of pHash's 64
LEAST_CORRELATION = 0.995  # of the lowest frequencies
AT_ONCE = 500  # images whose neighbours are held in memory together
PAIRS = 20_000  # of neighbours compared at a time: 20 MB; 3,000 images all alike would take 2 GB
AXES = 8  # of a tree: in 64 dimensions a tree visits every leaf

Coefficients = npt.NDArray[np.float32]  # (images, 8, 8), of length 1, the mean left out
Pairs = npt.NDArray[np.intp]  # (pairs, 2)


def find_alike(frequencies: Sequence[bytes]) -> Iterator[Pairs]:
    """Yield batches of index pairs of near-duplicate images.

    Blank images are skipped: they would all match each other.

    frequencies: of each image, as `Facts` has them; b"" for an image that was not decoded.
    """
    uneven = [at for at, each in enumerate(frequencies) if any(each)]
    if len(uneven) > 1:
        known, coefficients = np.array(uneven), _coefficients([frequencies[at] for at in uneven])
        for pairs in _neighbours(coefficients):
            for batch in np.split(pairs, range(PAIRS, len(pairs), PAIRS)):
                yield known[batch[_look_same(coefficients, batch)]]


def phash(coefficients: Coefficients) -> npt.NDArray[np.bool_]:
    """Compute pHash's 64 bits of each image: whether each coefficient is over their median.

    Returns (images, 64).
    """
    flat = coefficients.reshape(-1, LOWEST**2)
    bits: npt.NDArray[np.bool_] = flat > np.median(flat, axis=1, keepdims=True)
    return bits


def _coefficients(frequencies: Sequence[bytes]) -> Coefficients:
    rooted = np.frombuffer(b"".join(frequencies), np.int8).astype(np.float32)
    squared = (np.sign(rooted) * rooted**2).reshape(-1, LOWEST, LOWEST)
    unit: Coefficients = squared / np.linalg.norm(squared, axis=(1, 2), keepdims=True)
    return unit


def _neighbours(coefficients: Coefficients) -> Iterator[Pairs]:
    """Yield every pair that may correlate enough in some turning, and few others."""
    from scipy.spatial import KDTree

    # Unit vectors of correlation r lie sqrt(2 - 2 r) apart, and at most as far once projected.
    radius = np.sqrt(2 - 2 * LEAST_CORRELATION)
    points = _widest(_unturned(coefficients))
    tree = KDTree(points)
    for start in range(0, len(points), AT_ONCE):
        asked = points[start : start + AT_ONCE]
        found = tree.query_ball_point(asked, radius, workers=-1, return_sorted=False)
        first = np.repeat(np.arange(start, start + len(asked)), [len(each) for each in found])
        pairs = np.stack([first, np.concatenate([np.asarray(each, np.intp) for each in found])], 1)
        yield pairs[pairs[:, 0] < pairs[:, 1]]


def _unturned(coefficients: Coefficients) -> npt.NDArray[np.float32]:
    """Compute 64 numbers that no turning changes, and whose distance is at most the images'."""
    size = np.abs(coefficients)
    across = size.transpose(0, 2, 1)
    above = np.triu_indices(LOWEST, 1)
    parts = ((size + across)[:, *above], np.abs(size - across)[:, *above])
    diagonal = np.diagonal(size, axis1=1, axis2=2)
    return np.concatenate([*(part / np.sqrt(2) for part in parts), diagonal], axis=1)


def _widest(points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Project on the axes along which the points lie furthest apart."""
    _, axes = np.linalg.eigh(np.cov(points.T))
    return np.ascontiguousarray(points @ axes[:, -AXES:].astype(np.float32))


def _look_same(coefficients: Coefficients, pairs: Pairs) -> npt.NDArray[np.bool_]:
    one, other = coefficients[pairs[:, 0]], coefficients[pairs[:, 1]]
    bits, same = phash(one), np.zeros(len(pairs), dtype=np.bool_)
    for turned in _turnings(other):
        correlation = np.einsum("nij,nij->n", one, turned)
        close = np.flatnonzero(correlation >= LEAST_CORRELATION)
        distance = (bits[close] != phash(turned[close])).sum(axis=1)
        same[close[distance <= MOST_BITS]] = True
    return same


def _turnings(coefficients: Coefficients) -> Iterator[Coefficients]:
    """Yield all eight turnings; mirroring flips the sign of the odd frequencies along an axis."""
    odd = np.where(np.arange(LOWEST) % 2, -1, 1).astype(np.float32)
    even = np.ones_like(odd)
    for turned in (coefficients, coefficients.transpose(0, 2, 1)):
        for down in (even, odd):
            for across in (even, odd):
                yield turned * np.outer(down, across)
