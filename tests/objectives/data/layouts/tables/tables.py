"""Tables written and read as a study's declaration says."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import openpyxl

from objectives.contract import DataSource
from objectives.data.layouts.listing import Listing
from objectives.data.layouts.readers import open_layout
from objectives.data.problems import Problem
from spaces.data import Table

HEADER = "image,dx,patient"
PLAIN = Table("t.csv", path="image", label="dx", group="patient")


def write_csv(path: Path, header: str, *rows: str) -> None:
    """Write a table of lines of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")


def write_xlsx(path: Path, *rows: Sequence[Any]) -> None:
    """Write a sheet whose cells keep their types."""
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(path)


def read(folder: Path, declared: Table) -> Listing:
    """Read the images that a declaration, as it comes back from the database, finds."""
    layout = json.loads(json.dumps({"kind": "table", **asdict(declared)}))
    return open_layout(DataSource(layout=layout, folder=folder)).find_images()


def only(listing: Listing) -> Problem:
    """Return the problem of a listing that has one."""
    (problem,) = listing.problems
    return problem
