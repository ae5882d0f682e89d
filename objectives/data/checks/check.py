"""Every rule about the data, over one pass of the images."""

from collections.abc import Callable
from pathlib import Path

from objectives.contract import DataSource
from objectives.data.manifest import Manifest
from objectives.data.problems import Problem


def check_data(
    source: DataSource,
    manifest: Manifest,
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> list[Problem]:
    """Give what is wrong with the data: errors first, each kind in the order of its ids."""
    return list(manifest.problems)
