"""Masks and overlays that lie beside the images that they belong to, and are no images to train on.

An image is one only if the image that it belongs to is there, too.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from objectives.data.layouts.listing import File
from objectives.data.left_out import LeftOut

WORDS = (
    *("mask", "masks", "seg", "segm", "segmentation", "segmentations", "superpixels", "gt"),
    *("groundtruth", "ground_truth", "annotation", "annotations", "label", "labels", "labelmap"),
    *("contour", "overlay", "heatmap", "manual", "manual1", "binary", "roi_mask", "lesion_mask"),
)
AFTER = re.compile(rf"[ _.-]+(?:{'|'.join(WORDS)})(?:[ _.-]?\d+)?$", re.IGNORECASE)
BEFORE = re.compile(rf"^(?:{'|'.join(WORDS)})[ _.-]+", re.IGNORECASE)
# Folders of masks, and those of images beside them: images/p1.png and masks/p1.png.
MASK_FOLDERS = {*WORDS, "segmentationclass", "annots", "mask_images", "masks_png"}
IMAGE_FOLDERS = {"image", "images", "img", "imgs", "original", "originals", "jpegimages", "photos"}


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
    partners = _partners(sorted({path.rpartition("/")[0] for path in paths}))
    return {path for path in candidates if _belongs(path, stems, partners)}


def _left_out(masks: set[str]) -> Iterator[LeftOut]:
    """Count the masks; a folder such as face_mask beside face may be a class, so it has a fix."""
    doubtful = {path for path in masks if AFTER.search(path.partition("/")[0]) and "/" in path}
    if plain := tuple(sorted(masks - doubtful)):
        yield LeftOut(reason="masks beside their images", paths=plain)
    if doubtful:
        yield LeftOut(
            reason="in a folder of masks",
            paths=tuple(sorted(doubtful)),
            fix="give their folder another name if it is a class, else go on",
        )


def _may_be_mask(path: str) -> bool:
    *folders, name = _stem(path).split("/")
    in_folder = any(each.lower() in MASK_FOLDERS or AFTER.search(each) for each in folders)
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


def _belongs(path: str, stems: set[str], partners: Mapping[str, str]) -> bool:
    """Whether the image that a mask belongs to lies in its folder, or where its folder says."""
    *folders, name = _stem(path).split("/")
    bare = {AFTER.sub("", name), BEFORE.sub("", name)} - {name, ""}
    if any("/".join([*folders, each]) in stems for each in bare):
        return True
    for at, folder in enumerate(folders):
        above = "/".join(folders[:at])
        places: list[str] = []
        if folder.lower() in MASK_FOLDERS:
            places = [above, *([partners[above]] if above in partners else [])]
        elif (of := AFTER.sub("", folder)) != folder:
            places = [f"{above}/{of}"]
        wanted = ("/".join([*folders[at + 1 :], each]) for each in (name, *bare))
        if any(f"{place}/{each}".lstrip("/") in stems for each in wanted for place in places):
            return True
    return False


def _stem(path: str) -> str:
    """Remove the ending of a file name."""
    name = path.rpartition("/")[2]
    return path[: -len(name)] + (name.rpartition(".")[0] or name) if name else path
