"""The files that columns of a table name beside each image, such as masks: their contents count."""

from collections.abc import Iterator
from pathlib import Path

from objectives.data.layouts.layout import Layout
from objectives.data.layouts.listing import Column, File, Listing, times_of
from objectives.data.scan.scan import digests


def with_digests(
    listing: Listing, layout: Layout, folder: Path | None, cache: Path | None
) -> Listing:
    """Return a listing with a column more for each one of files: the SHA-1 of the file's bytes.

    So a mask with other contents is other data, as an image is.
    """
    columns = [at for at, column in enumerate(listing.columns) if column.kind == "file"]
    if not columns or folder is None:
        return listing
    cells = [[found.metadata[at] for at in columns] for found in listing.found]
    paths = {str(path) for row in cells for path in row if path}
    sha1 = digests(layout, [*_states(folder, sorted(paths))], cache)
    return Listing(
        **{
            **vars(listing),
            "found": [
                found._replace(metadata=(*found.metadata, *(sha1.get(str(each)) for each in row)))
                for found, row in zip(listing.found, cells, strict=True)
            ],
            "columns": (*listing.columns, *(_digest(listing.columns[at]) for at in columns)),
        }
    )


def _digest(column: Column) -> Column:
    return Column(f"{column.name} sha1", "digest")


def _states(folder: Path, paths: list[str]) -> Iterator[File]:
    for path in paths:
        try:
            stat = (folder / path).stat()
        except OSError:  # the layout has told of it
            yield File(path, 0, 0)
        else:
            yield File(path, stat.st_size, times_of(stat))
