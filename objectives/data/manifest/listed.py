"""A data source together with its manifest, so that one process lists a folder only once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from objectives.contract import DataSource
from objectives.data.layouts.readers import open_layout
from objectives.data.manifest.manifest import Manifest, read_manifest


@dataclass(frozen=True, kw_only=True)
class ListedData(DataSource):
    """A data source whose images are listed.

    manifest: read from exactly this source; list a changed source anew.
    """

    manifest: Manifest


def with_manifest(source: DataSource, manifest: Manifest) -> ListedData:
    """Return the source with the manifest that was read from it."""
    return ListedData(**{**vars(source), "manifest": manifest})


def list_data(
    source: DataSource,
    cache: Path | None = None,
    partition_for: Callable[[Sequence[str]], Path] | None = None,
) -> ListedData:
    """Read the manifest of a source and return both.

    cache: where the images' digests are kept.
    partition_for: called with the paths of the images; returns the partition file that takes the
    place of the source's own.

    Raises DataError, as `read_manifest` does.
    """
    if partition_for is None:
        return with_manifest(source, read_manifest(source, cache))
    listing = open_layout(source).find_images()
    partition = partition_for([found.file.path for found in listing.found])
    source = replace(source, partition=partition)
    return with_manifest(source, read_manifest(source, cache, listing=listing))


def manifest_of(source: DataSource, cache: Path | None = None) -> Manifest:
    """Return the manifest that comes with the source, else read it."""
    return source.manifest if isinstance(source, ListedData) else read_manifest(source, cache)
