"""The words for train, val and test in the names of folders and the cells of tables."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

WORDS = {
    **dict.fromkeys(("train", "training", "trn", "trainval", "trainvalid"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "validating"), "val"),
    **dict.fromkeys(("dev", "tune", "tuning"), "val"),
    **dict.fromkeys(("test", "testing", "tst", "holdout", "heldout"), "test"),
}
# Words beside them that mean nothing more, as in train_images, training_set and X_test.
FILLERS = (
    *("image", "img", "picture", "pic", "photo", "sample", "case", "patient", "slide", "scan"),
    *("patch", "patche", "tile", "crop", "file", "set", "dataset", "data", "split", "subset"),
    *("part", "partition", "folder", "dir", "fold", "input", "raw", "original", "orig", "final"),
    *("new", "resized", "cropped", "png", "jpg", "jpeg", "tif", "tiff", "class", "classe"),
)
# nnU-Net's imagesTr and imagesTs; the two letters alone are diagnoses.
SHORT = {"tr": "train", "ts": "test"}
INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
LETTERS = re.compile(r"[^\W\d_]+")
GLUED = re.compile(rf"(?:{'|'.join(FILLERS)})?({'|'.join(WORDS)})(?:(?:{'|'.join(FILLERS)})s?)*")


def split_of(name: str) -> str:
    """Return the split that a folder or cell of this name means: train, val, test, or "" for none.

    Case, numbers, single letters and words such as "images" and "set" do not count.
    """
    split, rest = _read(name)
    return "" if rest else split


def splits_of(names: Iterable[str]) -> Mapping[str, str]:
    """Return the split of each of the folders that lie side by side, as `split_of` does.

    Names with one more part in common, as ISIC_Training_Input and ISIC_Test_Input have, are splits,
    too, where all are.
    """
    read = {name: _read(name) for name in names}
    is_common = len({rest for _, rest in read.values()}) == 1
    if is_common and "train" in {split for split, _ in read.values()}:
        return {name: split for name, (split, _) in read.items()}
    return {name: "" if rest else split for name, (split, rest) in read.items()}


def named_after(name: str) -> str:
    """Return the split that is a part of this name, whatever the rest is; "" where none is."""
    return _read(name)[0]


@lru_cache(maxsize=1024)  # the cells of a column hold few words
def _read(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the split and the other words in a name; "" where it has none or several splits."""
    words = [word.casefold() for word in LETTERS.findall(INNER_CAPITAL.sub(" ", name))]
    words = [word for word in words if len(word) > 1]
    fillers = [word for word in words if word.removesuffix("s") in FILLERS]
    rest = [word for word in words if word not in fillers]
    if rest in (["tr"], ["ts"]) and fillers:
        return SHORT[rest[0]], ()
    if (whole := GLUED.fullmatch("".join(rest))) is not None:
        return WORDS[whole.group(1)], ()
    found = [(word, WORDS[match.group(1)]) for word in rest if (match := GLUED.fullmatch(word))]
    if len(found) != 1:
        return "", tuple(rest)
    (word, split), *_ = found
    return split, tuple(each for each in rest if each != word)
