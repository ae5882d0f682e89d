"""What a new split can mend: a partition file beside the data, the images left as they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from objectives.contract import DataSource
from objectives.data.manifest import Manifest
from objectives.data.problems import Problem


@dataclass(frozen=True)
class Mended:
    """What the partition at `path` changes, in images; groups for `joined`.

    joined: groups that stay together with another from now on. is_new_split: whether all images
    were divided anew, test included, so that numbers from before do not compare.
    """

    path: Path
    moved: int
    excluded: int
    joined: int
    is_new_split: bool


def mend(source: DataSource, manifest: Manifest, problems: Sequence[Problem], out: Path) -> Mended:
    """Write the partition that `DataSource.partition` reads, whole or not at all.

    problems: what `check_data` gave for this manifest; those of `can_fix` are mended. Raises
    DataError when no split can be carved that keeps together what belongs together.
    """
    raise NotImplementedError
