"""Add the faults of real data ("dirt") to the drawings of a practice set before they are written.

Each function takes the drawings and returns them with the faults of one flag; see flags.py.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from objectives.data.manifest.splits import SPLITS, carve
from objectives.practice import damage
from objectives.practice.canvas import Random
from objectives.practice.drawing import Drawing

Drawings = list[Drawing]
# Takes a drawing, another whose patient and label it gets, and a number for its new name.
Rename = Callable[[Drawing, Drawing, int], Drawing]
Place = Callable[[Drawing, str], Drawing]
Alter = Callable[[Drawing, int], Drawing]

COPIED, FEWEST_COPIES = 0.1, 20  # of the images: enough that any split separates some pairs
DAMAGED, FEWEST_DAMAGED = 0.03, 4
COPY_MARKS = (" (1)", " - Copy", "_aug", "_flip")


def leak(drawings: Drawings, rng: Random, place: Place) -> Drawings:
    """Split by image and ignore the patients."""
    labels, images = [each.label for each in drawings], [each.path for each in drawings]
    splits = carve(labels, images, SPLITS, int(rng.integers(2**32)))
    return [place(each, split) for each, split in zip(drawings, splits, strict=True)]


def in_folder(drawing: Drawing, split: str) -> Drawing:
    """Put a file into the folder of its split."""
    return replace(drawing, path=f"{split}/{drawing.path}")


def duplicates(drawings: Drawings, rng: Random, rename: Rename, image: str = "path") -> Drawings:
    """Copy images to other patients with the same label.

    image: the attribute that all files of one image share.
    """
    return drawings + _copies(drawings, rng, rename, image)


def labels(drawings: Drawings, rng: Random, rename: Rename, image: str = "path") -> Drawings:
    """Copy images to patients with another label; `image` as for `duplicates`."""
    return drawings + _copies(drawings, rng, rename, image, is_relabelled=True)


def near(
    drawings: Drawings, rng: Random, rename: Rename, marks: Sequence[str] = COPY_MARKS
) -> Drawings:
    """Copy images to other patients, flipped or brightened, under names that suggest a copy."""
    ways = (damage.brightened, damage.flipped)
    return drawings + [
        _marked(ways[number % 2](each), marks[number % len(marks)])
        for number, each in enumerate(_copies(drawings, rng, rename))
    ]


def corrupt(drawings: Drawings, rng: Random) -> Drawings:
    """Cut some files off and empty others."""
    ways = (damage.cut_off, damage.emptied)
    return _altered(drawings, lambda each, number: ways[number % 2](each), rng)


def deep(drawings: Drawings, rng: Random) -> Drawings:
    """Save some images with 16 bits."""
    return _altered(drawings, lambda each, _: damage.deepened(each), rng)


def modes(drawings: Drawings, rng: Random) -> Drawings:
    """Save some images in other modes, in turn all that the file's format supports."""

    def change(drawing: Drawing, number: int) -> Drawing:
        kinds = damage.modes_of(drawing.path)
        return damage.in_mode(drawing, kinds[number % len(kinds)])

    return _altered(drawings, change, rng)


def huge(drawings: Drawings, rng: Random) -> Drawings:
    """Put one image of over 100 megapixels among them."""
    at = int(rng.integers(len(drawings)))
    return [*drawings[:at], damage.huge(drawings[at]), *drawings[at + 1 :]]


def sizes(drawings: Drawings, rng: Random) -> Drawings:
    """Save most images of each label in one size per label, as from different scanners."""
    classes = sorted({each.label for each in drawings})
    return [
        damage.enlarged(each, 100 + 12 * classes.index(each.label)) if is_own else each
        for each, is_own in zip(drawings, rng.random(len(drawings)) < 0.85, strict=True)
    ]


def missing(drawings: Drawings, rng: Random) -> Drawings:
    """Leave out some files that the table names."""
    return _altered(drawings, lambda each, _: replace(each, draw=None), rng)


def unlisted(drawings: Drawings, rng: Random) -> Drawings:
    """Take some files out of the table."""
    return _altered(drawings, lambda each, _: replace(each, row=None), rng)


def _copies(
    drawings: Drawings,
    rng: Random,
    rename: Rename,
    image: str = "path",
    is_relabelled: bool = False,
) -> Drawings:
    """Copy some images to other groups with the same label, or with another one."""
    files: defaultdict[str, Drawings] = defaultdict(list)
    for drawing in drawings:
        if drawing.draw:
            files[getattr(drawing, image)].append(drawing)
    names = list(files)
    count = max(FEWEST_COPIES, round(COPIED * len(names)))
    copies = []
    for number, at in enumerate(rng.permutation(len(names))[:count]):
        original = files[names[at]]
        like = _draw_other(original[0], drawings, is_relabelled, rng)
        copies += [rename(each, like, len(drawings) + number) for each in original]
    return copies


def _draw_other(drawing: Drawing, drawings: Drawings, is_relabelled: bool, rng: Random) -> Drawing:
    """Draw an image of another group with the same label, or with another one."""
    while True:
        like = drawings[int(rng.integers(len(drawings)))]
        if like.group != drawing.group and (like.label != drawing.label) == is_relabelled:
            return like


def _altered(drawings: Drawings, alter: Alter, rng: Random) -> Drawings:
    """Change some drawings, keeping the order; `alter` also gets the number of those before."""
    count = max(FEWEST_DAMAGED, round(DAMAGED * len(drawings)))
    chosen = {int(at): number for number, at in enumerate(rng.permutation(len(drawings))[:count])}
    return [alter(each, chosen[at]) if at in chosen else each for at, each in enumerate(drawings)]


def _marked(drawing: Drawing, mark: str) -> Drawing:
    path = PurePosixPath(drawing.path)
    return replace(drawing, path=path.with_stem(path.stem + mark).as_posix())
