"""Every rule about the data, over one look at each image."""

from collections.abc import Callable
from pathlib import Path

from objectives.contract import DataSource
from objectives.data.checks.copies import check_copies
from objectives.data.checks.evidence import Evidence, Rule
from objectives.data.checks.giveaways import check_giveaways
from objectives.data.checks.groups import check_groups, check_lone_images, check_partition
from objectives.data.checks.images import check_depth, check_modes, check_readable, check_size
from objectives.data.checks.near_copies import check_near_copies
from objectives.data.checks.sizes import check_sizes, tell_resolution
from objectives.data.layouts.listing import File
from objectives.data.layouts.readers import open_layout
from objectives.data.manifest.manifest import Manifest
from objectives.data.manifest.partition import EXCLUDED
from objectives.data.problems import Problem
from objectives.data.scan.scan import scan

# What only a reader sees stands in the manifest: C04, C08, C09, C13. C14 and C16 are no question
# of the data alone, and C15 none at all: weights and scales come from training rows, counted.
RULES: tuple[Rule, ...] = (
    *(check_groups, check_lone_images, check_copies, check_near_copies, check_partition),
    *(
        check_readable,
        check_depth,
        check_modes,
        check_sizes,
        check_giveaways,
        check_size,
        tell_resolution,
    ),
)
LEVELS = ("error", "warn", "info")


def check_data(
    source: DataSource,
    manifest: Manifest,
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> list[Problem]:
    """Give what is wrong with the data: errors first, those of one level in the order of their ids.

    cache: the machine's folder where what was found out about images is kept. progress: called for
    each image that is opened; one that is known from before is not.
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
    """Look at every image that is not excluded, and give what the rules go by."""
    used = (row for row in manifest.rows if row.split != EXCLUDED)
    files = [File(row.path, row.bytes, row.modified_ns) for row in used]
    return Evidence(source, manifest, scan(open_layout(source), files, cache, progress))
