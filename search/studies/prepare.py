"""A study whose rules hold, together with its data as this machine has them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from objectives import catalog
from objectives.contract import DataSource
from objectives.data.manifest.summary import DataSummary
from search.settings import Settings
from search.studies.declare import Declared, data_source, declare
from search.studies.overrides import Overrides
from search.studies.progress import Steps, silent
from search.studies.rules import check_fit, check_rules
from spaces.stored import StoredStudy
from spaces.study import Study

if TYPE_CHECKING:  # numpy and SQLAlchemy, which checking the rules alone does without
    from objectives.data.manifest.manifest import Manifest
    from storage.store import Store


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A study whose rules hold, and its data as this machine has them.

    code: this machine's folder of the author's own code; None where the objective is a shipped one.
    """

    stored: StoredStudy
    source: DataSource
    manifest: "Manifest"
    code: Path | None = None

    @property
    def study(self) -> Study:
        """The study as its author wrote it."""
        return self.stored.study

    @property
    def summary(self) -> DataSummary:
        """The data in counts."""
        return self.manifest.summary


def prepare(overrides: Overrides, settings: Settings, store: "Store | None" = None) -> Prepared:
    """Find a study, check its rules and read its data; write nothing.

    store: where a study of that name may be stored already, whose splits count then.
    Raises StudyError, DataError or RecipeError.
    """
    declared = declare(overrides, settings)
    check_rules(declared.stored)
    prepared = read_data(declared, settings, store)
    check_fit(prepared.stored, prepared.summary)
    return prepared


def read_data(
    declared: Declared,
    settings: Settings,
    store: "Store | None" = None,
    steps: Steps | None = None,
) -> Prepared:
    """Read the data of a study whose rules were checked; DataError where that cannot be done.

    store: where it may be stored already.
    steps: counts the images that are read. Hand it in only if the data are checked next: some
        images are then read by the check alone.
    """
    from search.studies.splits import partition_of  # SQLAlchemy

    study = declared.study
    source = data_source(study, declared.folder, partition_of(study.name, settings, store))
    counted = steps or Steps("images", silent)
    listed = counted.expect if steps else None
    manifest = catalog.read_data(
        declared.stored.objective, source, settings.cache, progress=counted.step, listed=listed
    )
    return Prepared(stored=declared.stored, source=source, manifest=manifest, code=declared.code)
