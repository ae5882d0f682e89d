"""Draw photographs of lesions with their masks, and the table that names them.

`python draw.py FOLDER [PATIENTS]`
"""

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE, PER_PATIENT = 64, 2
COLOURS = {"benign": (150, 100, 80), "malignant": (90, 60, 70)}


def draw(folder: Path, patients: int = 40) -> None:
    """Draw two images of each patient; every second one is malignant."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "masks").mkdir(exist_ok=True)
    with (folder / "lesions.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "mask", "patient", "diagnosis"])
        for number in range(patients * PER_PATIENT):
            patient = number // PER_PATIENT
            diagnosis = list(COLOURS)[patient % 2]
            name = f"p{patient:03d}_{number % PER_PATIENT}.png"
            image, mask = draw_lesion(np.random.default_rng(number), COLOURS[diagnosis])
            image.save(folder / "images" / name)
            mask.save(folder / "masks" / name)
            table.writerow([f"images/{name}", f"masks/{name}", f"p{patient:03d}", diagnosis])


def draw_lesion(
    random: np.random.Generator, colour: tuple[int, int, int]
) -> tuple[Image.Image, Image.Image]:
    """Draw a dark, blurred ellipse on skin with noise, and the mask of the ellipse."""
    mask = Image.new("L", (SIZE, SIZE))
    x, y = random.uniform(18, SIZE - 18, 2)
    wide, high = random.uniform(6, 16, 2)
    ImageDraw.Draw(mask).ellipse((x - wide, y - high, x + wide, y + high), fill=255)
    mask = mask.rotate(random.uniform(0, 180), center=(x, y))
    skin = Image.new("RGB", (SIZE, SIZE), tuple(int(c) for c in random.uniform(170, 220, 3)))
    skin.paste(colour, mask=mask.filter(ImageFilter.GaussianBlur(2)))
    noisy = np.asarray(skin) + random.normal(0, 18, (SIZE, SIZE, 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8)), mask


if __name__ == "__main__":
    draw(Path(sys.argv[1]), *map(int, sys.argv[2:]))
