"""L5: a BraTS tree: a folder per patient under `HGG/` and `LGG/`, a NIfTI file per modality."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from objectives.contract import DataError, DataSource
from objectives.data.layouts.folder import image_folder, readable, subfolders, walk_through
from objectives.data.layouts.given_splits import with_folder_splits
from objectives.data.layouts.layout import data_folder
from objectives.data.layouts.listing import File, Found, Listing, times_of
from objectives.data.left_out import LeftOut
from objectives.data.pixels.decode import Pixels
from objectives.data.pixels.facts import SIDE, Facts, lowest_frequencies
from objectives.data.pixels.nifti import unreadable, volume_form
from objectives.data.pixels.volumes import as_cube, decode_volume, read_scan
from objectives.data.problems import Problem

GRADES = ("HGG", "LGG")
# What the years and the re-uploads call one modality; BraTS 2023 renamed all four.
SPELLINGS = {
    "flair": ("flair", "t2f"),
    "t1": ("t1", "t1n"),
    "t1ce": ("t1ce", "t1c", "t1gd"),
    "t2": ("t2", "t2w"),
}
MODALITY = re.compile(r"[_-]([a-z0-9]+)\.nii(?:\.gz)?$", re.IGNORECASE)
# BraTS 2017 to 2019 put patient, site and the number of the scan into the id; from 2023 on the last
# three digits are the visit.
ID = re.compile(r"^(brats1[789]_([^_]+)_[^_]+)_\d+$", re.IGNORECASE)
LATER_ID = re.compile(r"^(brats-[a-z]+-\d+)()-\d{3}$", re.IGNORECASE)


@dataclass(frozen=True)
class Brats:
    """Volumes of patients; a path is the patient's folder."""

    source: DataSource
    takes_group: ClassVar[bool] = False

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that the study reads, in the order of the network's channels."""
        return tuple(self.source.layout.get("modalities") or SPELLINGS)

    def find_images(self) -> Listing:
        """List the patients; the grade is the class, the patient the group.

        A patient without one of the modalities is left out and named by C04. Segmentations are not
        read.
        """
        folder, modalities = image_folder(self.source), self.modalities
        found: list[Found] = []
        used: set[str] = set()
        lacking: dict[str, list[str]] = {}
        for patient in _patients(folder):
            path = patient.relative_to(folder).as_posix()
            with readable(patient):
                files = _by_modality(patient)
            if missing := [each for each in modalities if each not in files]:
                lacking[path] = missing
            else:
                read = [files[each] for each in modalities]
                found.append(_found(path, read))
                used.update(file.relative_to(folder).as_posix() for file in read)
        if not found:
            raise DataError(
                f"{folder}: no patient with {', '.join(modalities)}",
                fix=(
                    "it should hold HGG/ and LGG/ with a folder per patient, `<id>/<id>_t1.nii.gz` "
                    "and so on"
                ),
            )
        classes = tuple(sorted({each.label for each in found}))
        return Listing(
            found=with_folder_splits(found),
            classes=classes,
            left_out=(*_left_out(lacking), *_other_files(folder, used, tuple(lacking))),
            problems=tuple(_missing(lacking, len(found))),
        )

    def bytes_of(self, path: str) -> Mapping[Path, bytes]:
        """Read a patient's NIfTI files, in the order of the modalities."""
        files = modality_files(self.source.folder or Path(), path, self.modalities)
        return {file: _read(file) for file in files}

    def pixels_of(self, path: str, image_size: int) -> Pixels:
        """Decode a patient as (modalities, S, S, S); see `decode_volume`."""
        return decode_volume(self.bytes_of(path), image_size)

    def pixels_shape(self, image_size: int) -> tuple[int, ...]:
        """Return the shape of a cube per modality."""
        return (len(self.modalities), image_size, image_size, image_size)

    def look_at(self, files: Mapping[Path, bytes]) -> Facts:
        """Decode a patient as for training; the first volume's middle slice identifies copies."""
        try:
            scan = read_scan(files)
            cube = as_cube(scan, SIDE)
        except DataError as error:
            found = error.found
            for file in files:
                found = found.replace(f"{file}: ", f"{file.name}: ")
            return Facts(error=found, fix=error.fix)
        width, height, mode = volume_form(next(iter(files.values())))
        frequencies = lowest_frequencies(cube[0, :, :, SIDE // 2])
        return Facts(
            width=width,
            height=height,
            mode=mode,
            has_background=None not in scan.backgrounds,
            frequencies=frequencies,
        )

    def identity(self) -> tuple[object, ...]:
        """Return kind, folder and modalities: a patient's bytes are those of the modalities."""
        return self.source.layout["kind"], data_folder(self.source.folder), *self.choice()

    def choice(self) -> tuple[object, ...]:
        """Return the modalities that the study reads."""
        return (list(self.modalities),)


def modality_files(folder: Path, row_path: str, modalities: Sequence[str]) -> tuple[Path, ...]:
    """Find a patient's NIfTI files, in the order of the modalities.

    row_path: the patient's folder, relative to `folder`. Raises DataError where a file is missing.
    """
    files = _by_modality(folder / row_path)
    for modality in modalities:
        if modality not in files:
            raise DataError(
                f"{folder / row_path}: no {modality} file",
                fix="bring it back, or remove the patient",
            )
    return tuple(files[modality] for modality in modalities)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise unreadable(file, error) from error


def _patients(folder: Path) -> Iterator[Path]:
    """Find the patients' folders, HGG first; the folders of the grades may lie one level deeper."""
    for top in (folder, *subfolders(folder)):
        for grade in (each for each in subfolders(top) if each.name in GRADES):
            yield from subfolders(grade)


def _by_modality(patient: Path) -> Mapping[str, Path]:
    """Find a patient's file of each modality, the unpacked one where there are both."""
    if not patient.is_dir():
        return {}
    spelled = {spelling: name for name, known in SPELLINGS.items() for spelling in known}
    files: dict[str, Path] = {}
    for path in sorted(patient.iterdir()):
        match = None if path.name.startswith(".") else MODALITY.search(path.name)
        file = _file_in(path) if match else None
        if match and file:
            word = match.group(1).lower()
            files.setdefault(spelled.get(word, word), file)
    return files


def _file_in(path: Path) -> Path | None:
    """Return the file, or the only one in a folder that some archives make of `x.nii`."""
    if path.is_file():
        return path
    inside = [each for each in path.iterdir() if MODALITY.search(each.name) and each.is_file()]
    return inside[0] if len(inside) == 1 else None


def _found(path: str, files: Sequence[Path]) -> Found:
    stats = [file.stat() for file in files]
    size, times = sum(each.st_size for each in stats), sum(times_of(each) for each in stats)
    *_, grade, patient = path.split("/")
    match = ID.match(patient) or LATER_ID.match(patient)
    group, site = match.groups() if match else (patient, "")
    return Found(File(path, size, times), grade, group, split="", site=site)


def _left_out(lacking: Mapping[str, Sequence[str]]) -> tuple[LeftOut, ...]:
    paths: defaultdict[str, list[str]] = defaultdict(list)
    for path, missing in lacking.items():
        paths[f"without {', '.join(missing)}"].append(path)
    return tuple(LeftOut(reason=reason, paths=tuple(each)) for reason, each in paths.items())


def _other_files(
    folder: Path, used: Collection[str], lacking: tuple[str, ...]
) -> Iterator[LeftOut]:
    """Count the files that are not read, without those of the patients that lack a modality."""
    contents = walk_through(folder, used)
    incomplete = tuple(f"{patient}/" for patient in lacking)
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for image in contents.images:
        reasons["pictures"].append(image.path)
    for each in contents.left_out:
        for path in each.paths:
            match = MODALITY.search(path)
            word = match.group(1).lower() if match else ""
            volume = "segmentations" if word == "seg" else "other volumes"
            reasons[volume if match else each.reason].append(path)
    for reason, paths in reasons.items():
        if others := tuple(path for path in paths if not path.startswith(incomplete)):
            yield LeftOut(reason=reason, paths=others)


def _missing(lacking: Mapping[str, Sequence[str]], whole: int) -> Iterator[Problem]:
    if lacking:
        path, missing = next(iter(lacking.items()))
        yield Problem(
            rule="C04",
            level="error",
            message=(
                f"{len(lacking)} of {len(lacking) + whole} patients lack a modality, {path} for "
                f"example {' and '.join(missing)}; bring it back or remove the patients' folders"
            ),
            paths=tuple(lacking),
        )
