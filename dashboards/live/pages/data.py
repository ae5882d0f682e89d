"""The page of data and methods: what is searched, on what, and how it is judged."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from dashboards.analysis.methods.description import (
    PRACTICE,
    describe,
    software,
    uses_of_test_split,
)
from dashboards.analysis.methods.images import ImageCounts, count_images
from dashboards.analysis.methods.machines import machines_of
from dashboards.analysis.methods.sampler import drawn_section
from dashboards.analysis.methods.sections import Section
from dashboards.analysis.overview import Overview
from dashboards.live.source import Source


@dataclass(frozen=True)
class DataPage:
    """The sections of a study's description, and warnings above them."""

    warnings: Sequence[str]
    sections: Sequence[Section]


def data_page(source: Source, overview: Overview, request: Request) -> DataPage:
    """Describe a study as it is stored, with the uses of its test split and its machines."""
    look = overview.snapshot.look
    counts = _counts(source, look.study.name)
    methods = describe(look.study, counts)
    return DataPage(
        [warning for warning in methods.warnings if warning != PRACTICE],  # a banner says it
        [
            *methods.sections,
            *filter(_says, [drawn_section(overview.knowledge, overview.study)]),
            uses_of_test_split(look.test_uses, counts),
            software(machines_of(source.store.workers(look.study.name))),
        ],
    )


def _says(section: Section) -> bool:
    return bool(section.sentences or section.table)


def _counts(source: Source, study: str) -> ImageCounts | None:
    manifest = source.store.manifest(study)
    return count_images(manifest) if manifest else None
