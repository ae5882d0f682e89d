"""A data source together with its manifest, so that one process lists a folder only once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from objectives.contract import DataError, DataSource, Row
from objectives.data.layouts.readers import open_layout
from objectives.data.manifest.manifest import Manifest, read_manifest
from objectives.data.manifest.manifest import Row as Listed


@dataclass(frozen=True, kw_only=True)
class ListedData(DataSource):
    """A data source whose images are listed.

    manifest: read from exactly this source; list a changed source anew.
    """

    manifest: Manifest

    def rows(self, split: str, fold: int = 1) -> Sequence[Row]:
        """Return the images of a split; see `objectives.contract.Attempt.rows`."""
        if self.layout["kind"] == "none":
            raise DataError(
                "the study declares no data, so there are no rows",
                "declare them in the study file, as in data=ClassFolders()",
            )
        folds = self.manifest.folds
        if not 1 <= fold <= max(folds, 1):
            raise DataError(
                f"there is no fold {fold}",
                f"give one from 1 to {folds}" if folds else "leave it out: the study has no folds",
            )
        found = self.manifest.split(split, fold)
        if not found:
            raise DataError(f"there is no {split} image", f"give the study a {split} split")
        folder = self.folder.resolve() if self.folder else Path()
        return [
            Row(
                path=folder / row.path,
                label=row.label,
                class_index=row.class_index,
                group=row.group,
                split=split,
                fold=row.fold or None,
                columns=self._columns(row, folder),
            )
            for row in found
        ]

    def _columns(self, row: Listed, folder: Path) -> dict[str, float | str | None]:
        return {
            column.name: str(folder / str(value)) if column.kind == "file" and value else value
            for column, value in zip(self.manifest.columns, row.metadata, strict=True)
            if column.kind != "digest"
        }


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
