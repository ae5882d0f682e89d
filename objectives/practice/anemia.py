"""The practice eyes: class folders of photographs of one or both eyes of each subject.

The names are those of the public sets of the palpebral conjunctiva, `Anemic/Anemic-007-L.png`: the
subject is the text up to its number. Two sites photograph the same share of each class, each in its
own image size. Every visit has its own light, so a split by image would leak it.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from objectives.practice.canvas import Random
from objectives.practice.drawing import Drawing, encoded
from objectives.practice.eye import Camera, Subject, draw_subject, photograph

# Haemoglobin of each class in g/dl: mean and deviation. Anaemic images stand 3 to 2.
CLASSES = {"Anemic": (9.0, 1.1), "Non-anemic": (13.2, 1.0)}
ANEMIC = 0.6
CAMERAS = (Camera((96, 72), (1.0, 0.96, 0.9)), Camera((84, 84), (0.93, 0.97, 1.0)))
BOTH_EYES = 0.5


def plan_anemia(images: int, seed: int) -> list[Drawing]:
    """Plan this many photographs; the same seed plans the same ones."""
    rng = np.random.default_rng([seed, 3])
    anemic = round(ANEMIC * images)
    drawings: list[Drawing] = []
    for label, count in zip(CLASSES, (anemic, images - anemic), strict=True):
        end, number = len(drawings) + count, 0
        while len(drawings) < end:
            number += 1
            drawings += _visit(label, number, (seed, len(drawings)), rng)[: end - len(drawings)]
    return drawings


def _visit(label: str, number: int, seed: tuple[int, int], rng: Random) -> list[Drawing]:
    """Plan the photographs of one subject."""
    name = f"{label}-{number:03d}"
    camera = CAMERAS[number % len(CAMERAS)]
    subject = draw_subject(rng.normal(*CLASSES[label]), camera, rng)
    eyes = "LR" if rng.random() < BOTH_EYES else str(rng.choice(("L", "R")))
    return [
        Drawing(
            path=f"{label}/{name}-{eye}.png",
            label=label,
            group=name,
            draw=partial(_photograph, subject, camera, eye, seed=seed),
        )
        for eye in eyes
    ]


def rename(drawing: Drawing, like: Drawing, number: int) -> Drawing:
    """Return the photograph under the name of a new subject, with another drawing's label."""
    group = f"{like.label}-{1000 + number}"
    folder, *_ = like.path.rpartition("/")
    return replace(like, path=f"{folder}/{group}-L.png", group=group, draw=drawing.draw)


def hide_folders(drawings: list[Drawing], _: Random) -> list[Drawing]:
    """Add the leftovers of a notebook and a file browser: a hidden class and an empty one."""
    first = drawings[0]
    above = first.path.removesuffix("/".join(first.path.split("/")[-2:]))  # a split's folder
    hidden = replace(first, path=f"{above}.ipynb_checkpoints/Anemic-001-checkpoint.png")
    empty = Drawing(path=f"{above}Severe/Thumbs.db", label="", group="", draw=lambda: b"")
    return [*drawings, hidden, empty]


def spell_classes(drawings: list[Drawing], rng: Random) -> list[Drawing]:
    """Put images into folders spelled otherwise: in lower case, or with a space at the end."""
    spellings = {"Anemic/": "anemic/", "Non-anemic/": "Non-anemic /"}

    def spelled(drawing: Drawing) -> Drawing:
        folder = f"{drawing.label}/"
        if rng.random() < 0.5:
            return drawing
        return replace(drawing, path=drawing.path.replace(folder, spellings[folder], 1))

    return [spelled(each) for each in drawings]


def _photograph(subject: Subject, camera: Camera, eye: str, seed: tuple[int, int]) -> bytes:
    rng = np.random.default_rng([*seed, ord(eye)])
    return encoded(photograph(subject, camera, eye == "L", rng), "png")
