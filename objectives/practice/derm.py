"""The practice skin lesions: photographs, and a table as PAD-UFES-20 has it beside them.

PAD-UFES-20 (Pacheco et al. 2020, doi:10.1016/j.dib.2020.106221): six diagnoses, 16 to 1 between
them, several photographs of a lesion and several lesions of a patient. Patients have their own
skin, so an image split would leak. The table tells a part: age and place differ by diagnosis, and
who was not biopsied was not asked much either.
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
    *("patient_id", "lesion_id", "age", "gender", "fitspatrick", "region", "diameter_1"),
    *(
        "diameter_2",
        "diagnostic",
        "itch",
        "grew",
        "bleed",
        "elevation",
        "img_id",
        "biopsed",
        "split",
    ),
)
PIXELS = 72
FOLDERS = 3  # images/imgs_part_1 to 3
FEWEST = 8  # of any diagnosis: enough for three splits by patient


@dataclass(frozen=True)
class Diagnosis:
    """What the table says of the patients with one diagnosis. photographs: the published count.

    age: mean and deviation. regions: where it grows, with how many of ten. itch, grew, bleed,
    elevation: how often the answer is yes. biopsed: how often it was cut out.
    """

    photographs: int
    age: tuple[float, float]
    regions: Mapping[str, float]
    itch: float
    grew: float
    bleed: float
    elevation: float
    biopsed: float


DIAGNOSES = {
    "ACK": Diagnosis(730, (61, 12), {"FACE": 3, "FOREARM": 4, "HAND": 3}, 0.6, 0.3, 0.1, 0.3, 0.3),
    "BCC": Diagnosis(
        *(845, (64, 13), {"FACE": 4, "NOSE": 3, "CHEST": 1, "BACK": 1, "FOREARM": 1}),
        *(0.6, 0.6, 0.45, 0.7, 0.85),
    ),
    "MEL": Diagnosis(
        *(52, (56, 15), {"BACK": 5, "FACE": 1, "CHEST": 2, "THIGH": 2}, 0.3, 0.7, 0.25, 0.5, 0.95),
    ),
    "NEV": Diagnosis(
        *(244, (38, 17), {"BACK": 4, "FACE": 2, "CHEST": 2, "THIGH": 2}, 0.2, 0.2, 0.05, 0.6, 0.4),
    ),
    "SCC": Diagnosis(
        *(192, (69, 12), {"FACE": 3, "FOREARM": 3, "HAND": 2, "NOSE": 2}, 0.6, 0.7, 0.5, 0.8, 0.9),
    ),
    "SEK": Diagnosis(
        *(235, (64, 13), {"BACK": 4, "FACE": 3, "CHEST": 3}, 0.4, 0.4, 0.05, 0.7, 0.35),
    ),
}


@dataclass
class Patient:
    """One patient: their skin, and what the table says of them whatever the lesion."""

    name: str
    age: float
    gender: str
    skin: Skin


def plan_derm(images: int, seed: int) -> list[Drawing]:
    """Plan so many photographs with their table rows, the same ones for the same seed."""
    rng = np.random.default_rng([seed, 1])
    names, lesion_names = rng.permutation(9000) + 8, rng.permutation(90_000 + images) + 10
    patients: list[Patient] = []
    drawings: list[Drawing] = []
    for lesion, (label, count) in enumerate(_lesions(images, rng)):
        patient = _patient(patients, label, names, rng)
        growth, row = draw_growth(label, rng), {"lesion_id": str(lesion_names[lesion])}
        row |= _answers(patient, label, growth, rng)
        for _ in range(count):
            number = len(drawings)
            path = _path(patient.name, row["lesion_id"], number)
            draw = partial(_draw, growth, patient.skin, (seed, number))
            drawings.append(Drawing(path, label, patient.name, draw, row))
    labels, groups = [each.label for each in drawings], [each.group for each in drawings]
    splits = carve(labels, groups, SPLITS, seed)
    return [place(each, split) for each, split in zip(drawings, splits, strict=True)]


def place(drawing: Drawing, split: str) -> Drawing:
    """Give the photograph in this split; the table says so."""
    return replace(drawing, row={**(drawing.row or {}), "split": split})


def rename(drawing: Drawing, like: Drawing, number: int) -> Drawing:
    """Give the photograph as one of the lesion of another, with a name of its own."""
    path = _path(like.group, (like.row or {})["lesion_id"], number)
    return replace(like, path=path, draw=drawing.draw)


def spell_classes(drawings: list[Drawing], _: Random) -> list[Drawing]:
    """Let other hands write the diagnosis of every other nevus of each split in lower case."""
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
    """Save the table as a spreadsheet would: ids as floats, decimal commas, NaN in words."""

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


def _draw(growth: Growth, skin: Skin, seed: tuple[int, int]) -> bytes:
    image = photograph(growth, skin, PIXELS, np.random.default_rng([*seed, 1]))
    return encoded(image, "jpeg", quality=90)


def _path(patient: str, lesion: str, number: int) -> str:
    part = number % FOLDERS + 1
    return f"images/imgs_part_{part}/{patient}_{lesion}_{number}.jpg"


def _lesions(images: int, rng: Random) -> list[tuple[str, int]]:
    """Share the photographs out as published, one to three of each lesion; lesions are mixed."""
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


def _patient(patients: list[Patient], label: str, names: np.ndarray, rng: Random) -> Patient:
    """Give the patient of a lesion: one of the right age who comes again, or a new one."""
    mean, deviation = DIAGNOSES[label].age
    if patients and rng.random() < 0.25:
        ages = np.array([each.age for each in patients])
        likely = np.exp(-(((ages - mean) / deviation) ** 2) / 2) + 1e-6
        return patients[int(rng.choice(len(patients), p=likely / likely.sum()))]
    gender = str(rng.choice(("FEMALE", "MALE")))
    age = float(np.clip(rng.normal(mean, deviation), 6, 94))
    patients.append(Patient(f"PAT_{names[len(patients)]}", age, gender, draw_skin(rng)))
    return patients[-1]


def _answers(patient: Patient, label: str, growth: Growth, rng: Random) -> dict[str, str]:
    """Give what the table says of a lesion; nobody asked much about one that was not cut out."""
    about = DIAGNOSES[label]
    is_biopsed = rng.random() < about.biopsed
    places = np.array(list(about.regions.values()))
    diameter = 20 * growth.radius[0] * rng.lognormal(0, 0.25)
    row = {
        "patient_id": patient.name,
        "diagnostic": label,
        "age": str(round(patient.age)),
        "gender": patient.gender,
        "fitspatrick": str(patient.skin.tone),
        "region": str(rng.choice(list(about.regions), p=places / places.sum())),
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
