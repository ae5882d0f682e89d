"""What the rules look at: the images that are used, where each stands, and what it looks like."""

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
    """A study's data after one look at every image. facts: by path."""

    source: DataSource
    manifest: Manifest
    facts: Mapping[str, Facts]

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The images that stand in a split; what is excluded harms nobody."""
        return [row for row in self.manifest.rows if row.split in SPLITS]

    @cached_property
    def readable(self) -> Sequence[Row]:
        """Those of them that can be decoded; two empty files are no copies of one image."""
        return [row for row in self.rows if not self.facts[row.path].error]

    @cached_property
    def held_out(self) -> Mapping[str, Counter[str]]:
        """The images of each class in val and test, the smallest fold's for val where there are."""
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


def place_of(row: Row) -> str:
    """Say where an image stands: its fold where there are folds, else its split."""
    return f"fold {row.fold}" if row.fold else row.split
