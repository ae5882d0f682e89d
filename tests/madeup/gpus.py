"""GPUs made up for processes under a test: a driver in C, and the file that it reads."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("driver.c")


def build(folder: Path) -> Path:
    """Build the driver into a folder; skips the test without a compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("needs gcc, which builds a made-up driver")
    flags = ["-D_GNU_SOURCE", "-shared", "-fPIC", "-o", str(folder / "libcuda.so.1")]
    subprocess.run([compiler, *flags, str(SOURCE)], check=True)
    (folder / "libnvidia-ml.so.1").symlink_to("libcuda.so.1")
    return folder


@dataclass(frozen=True)
class Slice:
    """A slice of a GPU that MIG made; its instances have the number of its place, from 1."""

    uuid: str


@dataclass(frozen=True)
class MadeUp:
    """A GPU; state is "well", "lost", "hang" or the number of a CUDA error."""

    uuid: str
    state: str = "well"
    slices: Sequence[Slice] = ()
    megabytes: int = 80_000


def uuid(digit: int) -> str:
    """Make up a UUID that begins with eight times this digit."""
    text = str(digit)
    return f"{text * 8}-{text * 4}-{text * 4}-{text * 4}-{text * 12}"


class MadeUpGpus:
    """The GPUs that processes with `environment` see."""

    def __init__(self, driver: Path, file: Path) -> None:
        self._driver, self._file = driver, file
        self.gpus: list[MadeUp] = []

    def environment(self, visible: str | None = None) -> dict[str, str]:
        """The environment of a process; `visible` is its CUDA_VISIBLE_DEVICES, None unsets it."""
        kept = {key: text for key, text in os.environ.items() if key != "CUDA_VISIBLE_DEVICES"}
        chosen = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
        place = {"LD_LIBRARY_PATH": str(self._driver), "MADE_UP_GPUS": str(self._file)}
        return kept | place | chosen

    def put(self, *gpus: MadeUp) -> None:
        """Put these GPUs into the machine."""
        self.gpus = list(gpus)
        lines: list[str] = []
        for gpu in gpus:
            lines.append(f"gpu {gpu.uuid} {gpu.megabytes} {int(bool(gpu.slices))} {gpu.state}")
            for place, part in enumerate(gpu.slices, 1):
                lines.append(f"slice {part.uuid} 20000 {place} 0")
        new = self._file.with_suffix(".new")
        new.write_text("".join(f"{line}\n" for line in lines))
        new.replace(self._file)

    def break_one(self, index: int, state: str = "lost") -> None:
        """Let a GPU fall off the bus, or answer with a CUDA error."""
        gpus = list(self.gpus)
        gpus[index] = replace(gpus[index], state=state)
        self.put(*gpus)
