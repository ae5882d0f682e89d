"""The practice skin lesions: photographs, and beside them a table in the form of PAD-UFES-20.

PAD-UFES-20 (Pacheco et al. 2020, doi:10.1016/j.dib.2020.106221) has six diagnoses, the commonest 16
times as frequent as the rarest, several photographs of a lesion and several lesions of a patient.
Patients have their own skin, so a split by image would leak. The table helps to tell the diagnosis:
age and region differ, and cells are mostly empty where no biopsy was made.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from io import StringIO
from pathlib import PurePosixPath

import numpy as np

from objectives.data.manifest.splits import SPLITS, carve
from objectives.practice.canvas import Random
from objectives.practice.drawing import Drawing, encoded
from objectives.practice.lesion import Growth, Skin, draw_growth, draw_skin, photograph

TABLE = "metadata.csv"
COLUMNS = (
    "patient_id",
    "lesion_id",
    "age",
    "gender",
    "fitspatrick",
    "region",
    "diameter_1",
    "diameter_2",
    "diagnostic",
    "itch",
    "grew",
    "bleed",
    "elevation",
    "img_id",
    "biopsed",
    "split",
)
PIXELS = 72
FOLDERS = 3  # images/imgs_part_1 to 3
FEWEST = 8  # of any diagnosis: enough for three splits by patient


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """The table's rows of one diagnosis; a single number is the share of its lesions."""

    photographs: int  # as published
    age: tuple[float, float]  # mean and deviation in years
    regions: Mapping[str, float]  # of the body, with the lesions of ten that grow there
    itch: float
    grew: float
    bleed: float
    elevation: float
    biopsed: float


DIAGNOSES = {
    "ACK": Diagnosis(
        photographs=730,
        age=(61, 12),
        regions={"FACE": 3, "FOREARM": 4, "HAND": 3},
        itch=0.6,
        grew=0.3,
        bleed=0.1,
        elevation=0.3,
        biopsed=0.3,
    ),
    "BCC": Diagnosis(
        photographs=845,
        age=(64, 13),
        regions={"FACE": 4, "NOSE": 3, "CHEST": 1, "BACK": 1, "FOREARM": 1},
        itch=0.6,
        grew=0.6,
        bleed=0.45,
        elevation=0.7,
        biopsed=0.85,
    ),
    "MEL": Diagnosis(
        photographs=52,
        age=(56, 15),
        regions={"BACK": 5, "FACE": 1, "CHEST": 2, "THIGH": 2},
        itch=0.3,
        grew=0.7,
        bleed=0.25,
        elevation=0.5,
        biopsed=0.95,
    ),
    "NEV": Diagnosis(
        photographs=244,
        age=(38, 17),
        regions={"BACK": 4, "FACE": 2, "CHEST": 2, "THIGH": 2},
        itch=0.2,
        grew=0.2,
        bleed=0.05,
        elevation=0.6,
        biopsed=0.4,
    ),
    "SCC": Diagnosis(
        photographs=192,
        age=(69, 12),
        regions={"FACE": 3, "FOREARM": 3, "HAND": 2, "NOSE": 2},
        itch=0.6,
        grew=0.7,
        bleed=0.5,
        elevation=0.8,
        biopsed=0.9,
    ),
    "SEK": Diagnosis(
        photographs=235,
        age=(64, 13),
        regions={"BACK": 4, "FACE": 3, "CHEST": 3},
        itch=0.4,
        grew=0.4,
        bleed=0.05,
        elevation=0.7,
        biopsed=0.35,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Patient:
    """One patient, the same for all of their lesions."""

    name: str
    age: float
    gender: str
    skin: Skin


def plan_derm(images: int, seed: int) -> list[Drawing]:
    """Plan this many photographs with their table rows; the same seed plans the same ones."""
    rng = np.random.default_rng([seed, 1])
    names, lesion_names = rng.permutation(9000) + 8, rng.permutation(90_000 + images) + 10
    patients: list[Patient] = []
    drawings: list[Drawing] = []
    for lesion, (label, count) in enumerate(_lesions(images, rng)):
        patient = _draw_patient(patients, label, names, rng)
        growth, row = draw_growth(label, rng), {"lesion_id": str(lesion_names[lesion])}
        row |= _draw_row(patient, label, growth, rng)
        for _ in range(count):
            number = len(drawings)
            path = _path(patient.name, row["lesion_id"], number)
            draw = partial(_photograph, growth, patient.skin, (seed, number))
            drawings.append(Drawing(path=path, label=label, group=patient.name, draw=draw, row=row))
    labels, groups = [each.label for each in drawings], [each.group for each in drawings]
    splits = carve(labels, groups, SPLITS, seed)
    return [in_split(each, split) for each, split in zip(drawings, splits, strict=True)]


def in_split(drawing: Drawing, split: str) -> Drawing:
    """Put the photograph into this split, which the table names."""
    return replace(drawing, row={**(drawing.row or {}), "split": split})


def rename(drawing: Drawing, like: Drawing, number: int) -> Drawing:
    """Return the photograph under a new name, as one of another drawing's lesion."""
    path = _path(like.group, (like.row or {})["lesion_id"], number)
    return replace(like, path=path, draw=drawing.draw)


def spell_classes(drawings: list[Drawing], _: Random) -> list[Drawing]:
    """Write the diagnosis of every other nevus of each split in lower case."""
    seen = Counter[str]()

    def spelled(drawing: Drawing) -> Drawing:
        if drawing.row is None or drawing.draw is None or drawing.label != "NEV":
            return drawing
        seen[drawing.row["split"]] += 1
        if seen[drawing.row["split"]] % 2:
            return drawing
        return replace(drawing, row={**drawing.row, "diagnostic": "nev"})

    return [spelled(each) for each in drawings]


def spoil_numbers(drawings: list[Drawing], _: Random) -> list[Drawing]:
    """Save the table like a spreadsheet does: ids as floats, decimal commas, NaN in words."""

    def spoiled(row: Mapping[str, str]) -> dict[str, str]:
        patient, lesion = row["patient_id"].removeprefix("PAT_"), row["lesion_id"]
        return {
            **row,
            "patient_id": f"{patient}.0",
            "lesion_id": f"{lesion}.0",
            "diameter_1": row["diameter_1"].replace(".", ","),
            "gender": row["gender"] or "NaN",
        }

    return [each if each.row is None else replace(each, row=spoiled(each.row)) for each in drawings]


def write_derm(drawings: Iterable[Drawing]) -> Iterator[tuple[str, bytes]]:
    """Draw the photographs, then write the table of those that have a row."""
    text = StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for drawing in drawings:
        if drawing.row is not None:
            writer.writerow({**drawing.row, "img_id": PurePosixPath(drawing.path).name})
        if drawing.draw:
            yield drawing.path, drawing.draw()
    yield TABLE, text.getvalue().encode()


def _photograph(growth: Growth, skin: Skin, seed: tuple[int, int]) -> bytes:
    image = photograph(growth, skin, PIXELS, np.random.default_rng([*seed, 1]))
    return encoded(image, "jpeg", quality=90)


def _path(patient: str, lesion: str, number: int) -> str:
    part = number % FOLDERS + 1
    return f"images/imgs_part_{part}/{patient}_{lesion}_{number}.jpg"


def _lesions(images: int, rng: Random) -> list[tuple[str, int]]:
    """Share out the photographs as published, one to three to a lesion, in drawn order."""
    published = sum(each.photographs for each in DIAGNOSES.values())
    counts = {
        label: max(FEWEST, round(images * each.photographs / published))
        for label, each in DIAGNOSES.items()
    }
    counts["BCC"] += images - sum(counts.values())  # the commonest makes up for the rounding
    lesions = []
    for label, left in counts.items():
        while left:
            count = min(left, int(rng.choice((1, 2, 3), p=(0.65, 0.25, 0.1))))
            lesions.append((label, count))
            left -= count
    return [lesions[at] for at in rng.permutation(len(lesions))]


def _draw_patient(patients: list[Patient], label: str, names: np.ndarray, rng: Random) -> Patient:
    """Draw the patient of a lesion: an earlier one of a likely age, or a new one."""
    mean, deviation = DIAGNOSES[label].age
    if patients and rng.random() < 0.25:
        ages = np.array([each.age for each in patients])
        likely = np.exp(-(((ages - mean) / deviation) ** 2) / 2) + 1e-6
        return patients[int(rng.choice(len(patients), p=likely / likely.sum()))]
    gender = str(rng.choice(("FEMALE", "MALE")))
    age = float(np.clip(rng.normal(mean, deviation), 6, 94))
    name = f"PAT_{names[len(patients)]}"
    patients.append(Patient(name=name, age=age, gender=gender, skin=draw_skin(rng)))
    return patients[-1]


def _draw_row(patient: Patient, label: str, growth: Growth, rng: Random) -> dict[str, str]:
    """Draw the table's row of a lesion; without a biopsy most of its cells are empty."""
    about = DIAGNOSES[label]
    is_biopsed = rng.random() < about.biopsed
    shares = np.array(list(about.regions.values()))
    diameter = 20 * growth.radius[0] * rng.lognormal(0, 0.25)
    row = {
        "patient_id": patient.name,
        "diagnostic": label,
        "age": str(round(patient.age)),
        "gender": patient.gender,
        "fitspatrick": str(patient.skin.tone),
        "region": str(rng.choice(list(about.regions), p=shares / shares.sum())),
        "diameter_1": f"{diameter:.1f}",
        "diameter_2": f"{diameter * rng.uniform(0.6, 1):.1f}",
        "biopsed": str(is_biopsed),
    }
    for question in ("itch", "grew", "bleed", "elevation"):
        row[question] = str(rng.random() < getattr(about, question))
        if rng.random() < 0.08:
            row[question] = "UNK"
    for column in ("gender", "fitspatrick", "diameter_1", "diameter_2"):
        if rng.random() < (0.04 if is_biopsed else 0.7):
            row[column] = ""
    return row
