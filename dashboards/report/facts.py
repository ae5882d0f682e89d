"""Everything that a report says of a study, read once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards.analysis.methods.description import (
    Methods,
    describe,
    software,
    uses_of_test_split,
)
from dashboards.analysis.methods.images import ImageCounts, count_images
from dashboards.analysis.methods.machines import Machines, machines_of
from dashboards.analysis.methods.sections import Section
from dashboards.analysis.overview import Overview, OverviewReader
from dashboards.analysis.snapshot import Snapshot
from dashboards.report.endings import Ending, Prunings, endings_of, prunings_of
from dashboards.report.importances import Importances, find_importances
from dashboards.report.lines import Lines, Step, no_step, read_lines
from dashboards.report.parallel import Parallel, parallel_lines
from storage.live.outages import OutageRow
from storage.reader import StoreReader

MOST_READINGS = 20


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A study at one moment, as its report describes it.

    overview: what its page shows.
    lines: every trial.
    described: what was settled when the study began.
    data: None for an objective without data.
    software, uses: the machines and the uses of the test split, for people.
    """

    overview: Overview
    lines: Lines
    described: Methods
    data: ImageCounts | None
    machines: Machines
    software: Section
    uses: Section
    endings: Sequence[Ending]
    prunings: Prunings | None
    outages: Sequence[OutageRow]
    importances: Importances | None
    parallel: Parallel | None

    @property
    def snapshot(self) -> Snapshot:
        """The stored rows in sums."""
        return self.overview.snapshot

    @property
    def made_at(self) -> datetime:
        """The moment of reading."""
        return self.overview.read_at


def read_facts(store: StoreReader, name: str, artifacts: str, step: Step = no_step) -> Facts:
    """Read a study; UnknownStudy where there is none.

    artifacts: the location of the artifact store.
    step: called with the work, how much of it is done, and all of it.
    """
    overview = _overview(store, name, artifacts)
    snapshot = overview.snapshot
    study, look = snapshot.study, snapshot.look
    lines = read_lines(store, snapshot, step)
    manifest, machines = store.manifest(name), machines_of(store.workers(name))
    data = count_images(manifest) if manifest else None
    return Facts(
        overview=overview,
        lines=lines,
        described=describe(look.study, data),
        data=data,
        machines=machines,
        software=software(machines),
        uses=uses_of_test_split(look.test_uses, data),
        endings=list(endings_of(snapshot)),
        prunings=prunings_of(lines.trials),
        outages=store.outages(name),
        importances=find_importances(study, lines.finished, step),
        parallel=parallel_lines(study, lines.finished),
    )


def _overview(store: StoreReader, name: str, artifacts: str) -> Overview:
    """Read an overview, again while the best trials are not all compared: each time some are."""
    reader = OverviewReader(store, name, artifacts)
    overview = reader.read()
    for _ in range(MOST_READINGS):
        compared, ranked = overview.ties.trials, overview.snapshot.look.ranking
        if overview.study.folds or len(compared) == len(ranked):
            break
        overview = reader.read()
    return overview
