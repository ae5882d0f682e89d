"""Masks and overlays beside the images that they were drawn on; they are no images to train on.

A file counts as a mask only where its image is there, too.
"""

import re
from collections.abc import Container, Iterator, Mapping, Sequence

from objectives.data.layouts.listing import File
from objectives.data.left_out import LeftOut

WORDS = (
    *("mask", "masks", "seg", "segm", "segmentation", "segmentations", "superpixels", "gt"),
    *("groundtruth", "ground_truth", "annotation", "annotations", "label", "labels", "labelmap"),
    *("contour", "overlay", "heatmap", "manual", "manual1", "binary", "roi_mask", "lesion_mask"),
)
AFTER = re.compile(rf"[ _.-]+(?:{'|'.join(WORDS)})(?:[ _.-]?\d+)?$", re.IGNORECASE)
BEFORE = re.compile(rf"^(?:{'|'.join(WORDS)})[ _.-]+", re.IGNORECASE)
# Folders of masks, and those of images beside them: images/p1.png and lung masks/p1.png.
MASK_FOLDERS = {*WORDS, "segmentationclass", "annots"}
MASK_WORD = re.compile(
    r"(?<![^\W_])(masks?|segmentations?|ground[ _-]?truths?|annotations?|manual)(?![^\W_])",
    re.IGNORECASE,
)
IMAGE_FOLDERS = {
    *("image", "images", "img", "imgs", "original", "originals", "jpegimages", "photos", "raw"),
    *("scans", "xray", "xrays", "x-rays", "cxr"),
}
SEPARATORS = re.compile(r"[ _.-]+")


def without_masks(files: Sequence[File]) -> tuple[list[File], list[LeftOut]]:
    """Return the files that are no masks, and the masks as what is left out."""
    masks = find_masks([file.path for file in files])
    return [file for file in files if file.path not in masks], list(_left_out(masks))


def find_masks(paths: Sequence[str]) -> set[str]:
    """Find the images that are masks of other images, by their names and folders."""
    candidates = [path for path in paths if _may_be_mask(path)]
    if not candidates:
        return set()
    stems = {_stem(path) for path in paths}
    beginnings = {each for stem in stems for each in _beginnings(stem)}
    partners = _partners(sorted({path.rpartition("/")[0] for path in paths}))
    return {
        path
        for path in candidates
        if _lies_beside(path, stems) or _lies_opposite(path, stems, beginnings, partners)
    }


def _left_out(masks: set[str]) -> Iterator[LeftOut]:
    """Count the masks; a folder such as face_mask beside face may be a class, so it has a fix."""
    doubtful = {path for path in masks if _is_doubtful(path.rpartition("/")[0].partition("/")[0])}
    if plain := tuple(sorted(masks - doubtful)):
        yield LeftOut(reason="masks beside their images", paths=plain)
    if doubtful:
        yield LeftOut(
            reason="in a folder of masks",
            paths=tuple(sorted(doubtful)),
            fix="give their folder another name if it is a class, else go on",
        )


def _is_doubtful(top: str) -> bool:
    is_plain = top.lower() in MASK_FOLDERS
    return not is_plain and bool(AFTER.search(top) or MASK_WORD.search(top))


def _may_be_mask(path: str) -> bool:
    *folders, name = _stem(path).split("/")
    in_folder = any(_is_of_masks(each) or AFTER.search(each) for each in folders)
    return in_folder or bool(AFTER.search(name) or BEFORE.search(name))


def _partners(folders: Sequence[str]) -> dict[str, str]:
    """Return the folder of images that lies in each folder, by the path of the latter."""
    found: dict[str, str] = {}
    for folder in folders:
        parts = folder.split("/")
        for at, part in enumerate(parts):
            if part.lower() in IMAGE_FOLDERS:
                found.setdefault("/".join(parts[:at]), "/".join(parts[: at + 1]))
    return found


def _is_of_masks(folder: str) -> bool:
    return folder.lower() in MASK_FOLDERS or bool(MASK_WORD.search(folder))


def _lies_beside(path: str, stems: Container[str]) -> bool:
    """Whether the image that a mask belongs to lies in the same folder."""
    *folders, name = _stem(path).split("/")
    return any("/".join([*folders, each]) in stems for each in _bare(name))


def _lies_opposite(
    path: str, stems: Container[str], beginnings: Container[str], partners: Mapping[str, str]
) -> bool:
    """Whether the image that a mask belongs to lies where the name of its folder says.

    In a folder of images its name may go on: images/21_training.tif and 1st_manual/21_manual1.gif.
    """
    *folders, name = _stem(path).split("/")
    for at, folder in enumerate(folders):
        above, inner = "/".join(folders[:at]), folders[at + 1 :]
        wanted = ["/".join([*inner, each]) for each in (name, *_bare(name))]
        places = [f"{above}/{of}"] if (of := AFTER.sub("", folder)) != folder else []
        places += [above] if _is_of_masks(folder) else []
        if any(f"{place}/{each}".lstrip("/") in stems for each in wanted for place in places):
            return True
        opposite = partners.get(above) if _is_of_masks(folder) else None
        if opposite and any(f"{opposite}/{each}" in beginnings for each in wanted):
            return True
    return False


def _bare(name: str) -> set[str]:
    """Return a name without the words for masks, where it has any."""
    return {AFTER.sub("", name), BEFORE.sub("", name)} - {name, ""}


def _beginnings(stem: str) -> Iterator[str]:
    """Yield a stem, and what is left of it where it is cut between two words of the name."""
    yield stem
    start = stem.rfind("/") + 1
    for separator in SEPARATORS.finditer(stem, start):
        yield stem[: separator.start()]


def _stem(path: str) -> str:
    """Remove the ending of a file name."""
    name = path.rpartition("/")[2]
    return path[: -len(name)] + (name.rpartition(".")[0] or name) if name else path
