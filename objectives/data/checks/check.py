"""Apply every rule of the data; each image is opened once."""

from collections.abc import Callable
from pathlib import Path

from objectives.contract import DataSource
from objectives.data.checks.blanks import check_blanks
from objectives.data.checks.copies import check_copies
from objectives.data.checks.evidence import Evidence, Rule
from objectives.data.checks.giveaways import check_giveaways
from objectives.data.checks.groups import check_groups, check_lone_images, check_partition
from objectives.data.checks.images import (
    check_background,
    check_depth,
    check_modes,
    check_pages,
    check_readable,
    check_shape,
    check_size,
)
from objectives.data.checks.left_out import check_left_out
from objectives.data.checks.near_copies import check_near_copies
from objectives.data.checks.sizes import check_sizes, tell_resolution
from objectives.data.layouts.readers import open_layout
from objectives.data.manifest.manifest import Manifest
from objectives.data.manifest.partition import EXCLUDED
from objectives.data.problems import Problem
from objectives.data.scan.scan import scan

# C04, C08, C09, C13 and C17, and parts of C01, C05 and C18, are found while listing and stand in
# the manifest. C14 and C16 need the study as well. C15 needs no check: weights and scales come from
# training rows only.
RULES: tuple[Rule, ...] = (
    check_groups,
    check_lone_images,
    check_copies,
    check_near_copies,
    check_partition,
    check_readable,
    check_depth,
    check_modes,
    check_background,
    check_sizes,
    check_giveaways,
    check_size,
    check_shape,
    check_blanks,
    check_pages,
    check_left_out,
    tell_resolution,
)
LEVELS = ("error", "warn", "info")


def check_data(
    source: DataSource,
    manifest: Manifest,
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> list[Problem]:
    """Find the problems of the data: errors first, those of one level in the order of their rules.

    cache: the machine's folder where the facts of images are kept.
    progress: called for each image that is opened; images with known facts are not opened.
    """
    evidence = examine(source, manifest, cache, progress)
    problems = [*manifest.problems, *(each for rule in RULES for each in rule(evidence))]
    return sorted(problems, key=lambda problem: (LEVELS.index(problem.level), problem.rule))


def examine(
    source: DataSource,
    manifest: Manifest,
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Evidence:
    """Examine every image that is not excluded; the rules are applied to the result.

    cache, progress: as for `check_data`.
    """
    used = [row for row in manifest.rows if row.split != EXCLUDED]
    return Evidence(source, manifest, scan(open_layout(source), used, cache, progress))
