"""Which reader takes which layout."""

import importlib
from collections.abc import Mapping

from objectives.contract import DataError, DataSource
from objectives.data.layouts.listing import Listing

# Imported when called for: tables bring pandas, trees of volumes bring nibabel.
READERS: Mapping[str, str] = {
    "file_names": "objectives.data.layouts.file_names:read_file_names",
    "class_folders": "objectives.data.layouts.class_folders:read_class_folders",
    "table": "objectives.data.layouts.tables.table:read_table",
    "cifar10": "objectives.data.layouts.cifar10:read_cifar10",
    "brats": "objectives.data.layouts.brats:read_brats",
    "digits": "objectives.data.layouts.digits:read_digits",
}


def read_layout(source: DataSource) -> Listing:
    """Give every image that the layout declares, with label, group and given split.

    Raises DataError when the folder does not hold what the layout says.
    """
    kind = source.layout["kind"]
    if kind not in READERS:
        raise DataError(f"no reader for data of kind {kind!r}; use one of {', '.join(READERS)}")
    module, function = READERS[kind].split(":")
    listing: Listing = getattr(importlib.import_module(module), function)(source)
    return listing
