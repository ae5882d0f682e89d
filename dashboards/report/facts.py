"""Everything that a report says of a study, read once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dashboards.analysis.methods.images import ImageCounts, count_images
from dashboards.analysis.methods.machines import Machines, machines_of
from dashboards.analysis.priors.evidence import Evidence, EvidenceReader
from dashboards.analysis.snapshot import Snapshot, read_snapshot
from dashboards.analysis.trials.classes import Classes, ClassesReader
from dashboards.analysis.trials.kept import KeptTables
from dashboards.report.endings import Ending, Prunings, endings_of, prunings_of
from dashboards.report.importances import Importances, find_importances
from dashboards.report.lines import Lines, Step, no_step, read_lines
from dashboards.report.parallel import Parallel, parallel_lines
from storage.store import Store


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A study at one moment, as its report describes it.

    made_at: the moment of reading.
    lines: every trial.
    """

    snapshot: Snapshot
    made_at: datetime
    lines: Lines
    data: ImageCounts | None
    endings: Sequence[Ending]
    prunings: Prunings | None
    machines: Machines
    importances: Importances | None
    parallel: Parallel | None
    classes: Classes
    evidence: Evidence


def read_facts(store: Store, name: str, artifacts: str, step: Step = no_step) -> Facts:
    """Read a study; UnknownStudy where there is none.

    artifacts: the location of the artifact store.
    step: called with the work, how much of it is done, and all of it.
    """
    snapshot = read_snapshot(store, name)
    lines = read_lines(store, snapshot, step)
    study, manifest = snapshot.study, store.manifest(name)
    return Facts(
        snapshot=snapshot,
        made_at=datetime.now(UTC),
        lines=lines,
        data=count_images(manifest) if manifest else None,
        endings=list(endings_of(snapshot)),
        prunings=prunings_of(lines.trials),
        machines=machines_of(store.workers(name)),
        importances=find_importances(study, lines.finished, step),
        parallel=parallel_lines(study, lines.finished),
        classes=ClassesReader(KeptTables(artifacts, name)).read(store, snapshot),
        evidence=EvidenceReader().read(store, snapshot),
    )
