"""The speed of decoding images and of training a network, measured on this machine."""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from objectives import catalog
from objectives.probes.cost import Inputs, SharedDevice, measure_costs
from objectives.recipe.backbones import known_backbone
from search.processes.devices import device_shares, usable_cores, worker_environment
from search.processes.spawn import launcher
from search.settings import Settings
from search.studies.prepare import Prepared
from spaces.space import TrialConfig

SAMPLE = 512  # images to decode, spread over the training split
ENOUGH_SECONDS = 3.0
USUAL_SIZE = 224  # px, where only timm knows the size that the backbone takes


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """How fast images come out of their files, and into the network of the prior's mode.

    loader: images a second with all cores.
    model: images a second; 0 where not one image fits into the device's memory.
    """

    loader: float
    cores: int
    backbone: str
    batch_size: int
    model: float

    @property
    def words(self) -> str:
        """Both speeds in a line, and the slower one, which is the limit."""
        loader = f"loader {_rate(self.loader)} images/s ({self.cores} cores)"
        network = f"{self.backbone}, batch {self.batch_size}"
        if not self.model:
            return f"{loader}, model: not one image fits ({network}); use a smaller image_size"
        limit = (
            "the model is the limit"
            if self.model <= self.loader
            else "the loader is the limit of the first epoch only: decoding is paid once and kept"
        )
        return f"{loader}, model {_rate(self.model)} images/s ({network}): {limit}"


def measure(prepared: Prepared, settings: Settings) -> Throughput | None:
    """Measure loader and model on this machine; None for an objective without images.

    Takes some ten seconds. Raises DataError for an image that cannot be decoded, RecipeError where
    the network cannot be built.
    """
    known = catalog.describe(prepared.stored.objective).fields or {}
    if not known.keys() >= {"backbone", "image_size", "batch_size"}:
        return None
    config = prepared.stored.config(prepared.study.space.mode())
    return Throughput(
        loader=_loader_speed(prepared, config),
        cores=usable_cores(),
        backbone=str(config["backbone"]),
        batch_size=int(config["batch_size"] or 0),
        model=_model_speed(prepared, config, settings),
    )


def probe_inputs(prepared: Prepared) -> Inputs:
    """Return the shape of the data that a measured network of this study is trained on."""
    classes = len(prepared.summary.classes)
    return Inputs(str(prepared.study.objective), classes, catalog.channels(prepared.source))


def _rate(images: float) -> str:
    return f"{images:,.0f}" if images >= 10 else f"{images:.1f}"


def _loader_speed(prepared: Prepared, config: TrialConfig) -> float:
    from objectives.data.layouts.readers import open_layout  # Pillow, and numpy

    size = int(config["image_size"] or 0)
    size = size or known_backbone(str(config["backbone"])).image_size or USUAL_SIZE
    layout = open_layout(prepared.source)

    def decode(path: str) -> object:
        return layout.pixels_of(path, size)

    with ThreadPoolExecutor(usable_cores()) as pool:
        began, done = time.monotonic(), 0
        for chunk in _chunks(_sample(prepared), 4 * usable_cores()):
            done += len(list(pool.map(decode, chunk)))
            if time.monotonic() - began > ENOUGH_SECONDS:
                break
        return done / (time.monotonic() - began)


def _sample(prepared: Prepared) -> list[str]:
    paths = [row.path for row in prepared.manifest.split("train") if row.sha1]
    return paths[:: max(1, len(paths) // SAMPLE)]


def _chunks(paths: Sequence[str], size: int) -> Sequence[Sequence[str]]:
    return [paths[start : start + size] for start in range(0, len(paths), size)]


def _model_speed(prepared: Prepared, config: TrialConfig, settings: Settings) -> float:
    share = device_shares(None, settings.visible_gpus)[0]
    shared = SharedDevice(
        device=share.device,
        memory=1.0,
        environment=worker_environment(share, os.environ),
        launcher=launcher(),
    )
    (cost,) = measure_costs([config], probe_inputs(prepared), shared)
    return int(config["batch_size"] or 0) / cost.step_seconds if cost.micro_batch else 0.0
