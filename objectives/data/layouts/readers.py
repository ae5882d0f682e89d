"""The class that reads each kind of data; no other module asks for the kind."""

import importlib

from objectives.contract import DataError, DataSource
from objectives.data.layouts.layout import Layout

# Imported when called for: tables bring pandas, trees of volumes bring nibabel.
LAYOUTS = {
    "file_names": "objectives.data.layouts.file_names:FileNames",
    "class_folders": "objectives.data.layouts.class_folders:ClassFolders",
    "table": "objectives.data.layouts.tables.table:Table",
    "cifar10": "objectives.data.layouts.cifar10:Cifar10",
    "brats": "objectives.data.layouts.brats:Brats",
    "digits": "objectives.data.layouts.digits:Digits",
}


def open_layout(source: DataSource) -> Layout:
    """Return the layout that the study declares; nothing is read before its methods are called.

    Raises DataError for a kind that no class reads.
    """
    kind = source.layout["kind"]
    if kind not in LAYOUTS:
        raise DataError(f"no reader for data of kind {kind!r}", f"use one of {', '.join(LAYOUTS)}")
    module, name = LAYOUTS[kind].split(":")
    layout: Layout = getattr(importlib.import_module(module), name)(source)
    return layout
