"""The evidence for the rules: the images in use, their splits and their facts."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from objectives.contract import DataSource
from objectives.data.manifest.manifest import Manifest, Row
from objectives.data.manifest.splits import SPLITS
from objectives.data.pixels.facts import Facts
from objectives.data.problems import Problem


@dataclass(frozen=True)
class Evidence:
    """A study's data after one look at every image.

    facts: by the image's path.
    """

    source: DataSource
    manifest: Manifest
    facts: Mapping[str, Facts]

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The images that belong to a split; the rules ignore those that are excluded."""
        return [row for row in self.manifest.rows if row.split in SPLITS]

    @cached_property
    def readable(self) -> Sequence[Row]:
        """The rows that can be decoded; two empty files, for example, are no copies."""
        return [row for row in self.rows if not self.facts[row.path].error]

    @cached_property
    def held_out(self) -> Mapping[str, Counter[str]]:
        """The number of images of each class in val and in test; a split without any is left out.

        Where there are folds, val has each class's smallest number in any fold.
        """
        counts = {name: Counter(row.label for row in self.manifest.split(name)) for name in SPLITS}
        folds = [
            Counter(row.label for row in self.manifest.split("val", fold))
            for fold in range(1, self.manifest.folds + 1)
        ]
        if folds:
            counts["val"] = Counter({c: min(fold[c] for fold in folds) for c in self.classes})
        return {name: counts[name] for name in SPLITS[1:] if counts[name].total()}

    @property
    def classes(self) -> Sequence[str]:
        """The classes in the order of their index."""
        return self.manifest.classes


Rule = Callable[[Evidence], Iterator[Problem]]
