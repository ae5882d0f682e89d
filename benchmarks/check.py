"""The cost of checking the data: every file is read, hashed, decoded and compared.

`python -m benchmarks.check [--images 56000] [--json]`

There are three passes. The floor reads, hashes and decodes each file with as many threads, and no
more. Cold is the part of `search check` that needs images, without rules, networks and throughput.
Warm is the same once more, with unchanged files. Each pass runs in a process of its own, and its
peak memory is shown, also for an eighth of the images: only the manifest grows with them.
"""

import argparse
import hashlib
import io
import multiprocessing
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.pairs import report
from objectives import catalog
from objectives.contract import DataSource

TARGET = 39.0  # files per second and core: 56,000 in 3 minutes of 8 cores
SIDE = 64
PATIENT = 20  # images of one patient
LAYOUT = {"kind": "class_folders", "group": r"^(p\d+)_"}
NOTES = (
    "files/core s: by the CPU time of the process, which other load does not change; wall: files "
    "per second and core by the clock"
)


@dataclass(frozen=True)
class Spent:
    """The cost of one pass."""

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float  # of the process, libraries included


def main() -> None:
    """Draw the files, time the floor, a cold check and a warm one, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=56_000)
    parser.add_argument("--json", action="store_true", help="only the lines of JSON")
    chosen = parser.parse_args()
    rows = measured([chosen.images // 8, chosen.images])
    report("check", rows, "cpu", notes=NOTES, as_json=chosen.json)


def measured(sizes: list[int]) -> Iterator[dict[str, Any]]:
    """Measure a row for each number of images and each kind of pass."""
    for images in sizes:
        with tempfile.TemporaryDirectory() as place:
            folder, cache = draw_files(Path(place) / "data", images), Path(place) / "cache"
            for name, run in (("floor", floor), ("cold", check), ("warm", check)):
                yield row(name, images, apart(run, folder, cache))


def row(name: str, images: int, spent: Spent) -> dict[str, Any]:
    """Build one row: files per core second, by CPU time and by the clock, memory, the verdict."""
    rate = images / spent.cpu_seconds
    cores = len(os.sched_getaffinity(0))
    verdict = f"{TARGET:.0f} {'reached' if rate >= TARGET else 'missed'}"
    return {
        "pass": name,
        "images": images,
        "files/core s": round(rate),
        "wall": round(images / spent.wall_seconds / cores),
        "seconds": round(spent.wall_seconds, 1),
        "peak MB": round(spent.peak_mb),
        "verdict": verdict if name == "cold" else "",
    }


def apart(run: Callable[[Path, Path], None], folder: Path, cache: Path) -> Spent:
    """Run a pass in a fresh process."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh) as pool:
        return pool.submit(spent_on, run, folder, cache).result()


def spent_on(run: Callable[[Path, Path], None], folder: Path, cache: Path) -> Spent:
    """Run a pass in this process and measure its cost."""
    wall, cpu = time.perf_counter(), time.process_time()
    run(folder, cache)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return Spent(wall, cpu, int(peak[1]) / 1000 if peak else float("nan"))


def floor(folder: Path, _: Path) -> None:
    """Read, hash and decode each file, on all cores."""

    def read(path: Path) -> None:
        contents = path.read_bytes()
        hashlib.sha1(contents, usedforsecurity=False).digest()
        Image.open(io.BytesIO(contents)).load()

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for _done in pool.map(read, sorted(folder.glob("*/*"))):
            pass


def check(folder: Path, cache: Path) -> None:
    """Read the manifest and check it, like `search check`."""
    source = DataSource(layout=LAYOUT, folder=folder)
    manifest = catalog.read_data("image_classifier", source, cache, listed=lambda _: None)
    problems = catalog.check_data("image_classifier", source, manifest, cache)
    if errors := [each.message for each in problems if each.level == "error"]:
        raise SystemExit(f"the drawn files should break no rule: {errors[0]}")


def draw_files(folder: Path, images: int) -> Path:
    """Write class folders of soft shapes under grain, half of them PNG and half JPEG."""
    random = np.random.default_rng(0)
    for number in range(images):
        coarse = Image.fromarray(random.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        soft = np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC), dtype=np.int16)
        grain = random.integers(-6, 7, (SIDE, SIDE, 1), dtype=np.int16)
        suffix = ("png", "jpg")[number % 2]
        path = folder / f"class {random.integers(4)}" / f"p{number // PATIENT}_{number}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((soft + grain).clip(0, 255).astype(np.uint8)).save(path)
    return folder


if __name__ == "__main__":
    main()
