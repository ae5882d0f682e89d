"""A study's data and methods, as a paper describes them: for pages, the note and the report."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards.analysis.methods.images import ImageCounts, SplitCounts
from dashboards.analysis.methods.machines import Machines, package_name
from dashboards.analysis.methods.pruning import pruning_of
from dashboards.analysis.methods.sampler import guaranteed, order
from dashboards.analysis.methods.sections import Code, Phrase, Section, Strong, Table
from dashboards.analysis.methods.space import space_table
from dashboards.analysis.numbers import counted, exact, whole
from dashboards.analysis.priors.declared import spreads
from objectives import catalog
from spaces.data import NoData
from spaces.own import code_digest, noun_of
from spaces.rules.versions import in_words
from spaces.shown import shown
from spaces.stored import StoredStudy, data_to_json, fingerprint, from_json
from spaces.study import Study
from storage.rows import StudyRow
from storage.split_uses import UseRow

PRACTICE = "Practice data. The images are generated: these results say nothing about real ones."
MOST_FILES = 5  # of an author's own code that are named
MOMENT = "%Y-%m-%d %H:%M UTC"
BETTER = {"minimize": "lower is better", "maximize": "higher is better"}


@dataclass(frozen=True, kw_only=True)
class Methods:
    """The description of a study.

    warnings: what a reader must know before any number.
    question: the study's own words; "" for none.
    """

    warnings: Sequence[str]
    question: str
    sections: Sequence[Section]


def describe(row: StudyRow, counts: ImageCounts | None) -> Methods:
    """Describe a study by what is settled when it begins.

    counts: of its images; None for an objective without data.
    """
    stored = from_json(row.definition)
    sections = [
        Section(name="search", title="Search", sentences=list(_search(stored))),
        _data(stored.study, counts),
        Section(
            name="space",
            title="Searched hyperparameters",
            sentences=[[each] for each in spreads(stored.study.space)],
            table=space_table(stored.study.space),
        ),
        Section(name="fixed", title="Fixed hyperparameters", table=_fixed(stored)),
        Section(name="weights", title="Weights to start from", table=_weights(stored)),
        Section(name="fingerprints", title="Fingerprints", table=_fingerprints(row, stored)),
    ]
    return Methods(
        warnings=list(_warnings(stored)),
        question=" ".join(stored.study.about.split()),
        sections=[each for each in sections if each.sentences or (each.table and each.table.rows)],
    )


def _measured(study: Study) -> str:
    """Return on what the study's metric is measured, as far as that is known."""
    return " as it reports it" if noun_of(study.objective) else " on the validation split"


def uses_of_test_split(uses: Sequence[UseRow], counts: ImageCounts | None) -> Section:
    """Describe the uses of the test split."""
    held = counts.splits.get("test") if counts else None
    size = f" ({counted(held.all_images, 'image')})" if held else ""
    if not uses:
        said = (
            f"The test split{size} was never opened."
            if held
            else "The study declares no test split."
        )
        return Section(name="test", title="Test split", sentences=[[said]])
    rows: list[Sequence[Phrase]] = [
        [[f"{use.used_at:{MOMENT}}"], [use.purpose], [use.used_by]] for use in uses
    ]
    often = "once" if len(uses) == 1 else f"{whole(len(uses))} times"
    said = f"The test split{size} was opened {often}."
    table = Table(["when", "why", "by"], rows)
    return Section(name="test", title="Test split", sentences=[[Strong(said)]], table=table)


def software(machines: Machines) -> Section:
    """Describe the devices and the software of a study's workers."""
    rows: list[Sequence[Phrase]] = [
        [[package_name(name)], [", ".join(found)]] for name, found in machines.versions.items()
    ]
    if machines.commits:
        rows.append([["commit"], [Code(", ".join(machines.commits))]])
    of = (
        f"{counted(machines.workers, 'worker process', 'worker processes')}, restarts included,"
        f" on {counted(machines.hosts, 'machine')}"
    )
    devices = "; ".join(f"{device} ({count})" for device, count in machines.devices.items())
    return Section(
        name="software",
        title="Machines and software",
        sentences=[[f"{of}: {devices}."]] if machines.workers else [["No worker so far."]],
        table=Table(["part", "version"], rows) if rows else None,
    )


def _warnings(stored: StoredStudy) -> Iterator[str]:
    if stored.found.is_practice:
        yield PRACTICE
    if stored.found.skipped_checks:
        yield f"Skipped checks of the data: {', '.join(stored.found.skipped_checks)}."
    for each in stored.found.accepted_versions:
        at = datetime.fromisoformat(each["at"])
        other = in_words(each["versions"], each["instead_of"])
        yield f"Other versions were accepted at {at:{MOMENT}} on {each['host']}: {other}."
    for each in stored.found.own.get("accepted", ()):
        at = datetime.fromisoformat(each["at"])
        yield f"The study's own code was changed at {at:{MOMENT}}: {_names(each['changed'])}."
    if stored.found.own and isinstance(stored.study.data, NoData):
        yield (
            "The study declares no data: its own code reads them, and nothing here was checked for"
            " leaks between the splits."
        )


def _search(stored: StoredStudy) -> Iterator[Phrase]:
    study = stored.study
    where = " of each fold; the trial's value is the mean over them" if study.folds else ""
    noun = noun_of(study.objective)
    yield [
        f"The {noun} " if noun else "",
        Code(str(study.objective)),
        " is judged by ",
        Code(study.metric),
        f"{_measured(study)}, {BETTER[study.direction]}, at a trial's {study.value}"
        f" epoch{where}. {_meaning(stored)}".rstrip(),
    ]
    yield [f"{counted(study.trials, 'trial')}. {pruning_of(stored)}"]
    yield [" ".join([*order(stored), *guaranteed(study), f"Seed {study.seed}."])]


def _meaning(stored: StoredStudy) -> str:
    """Return the objective's explanation of the metric; "" where there is none."""
    metrics = catalog.describe(stored.objective).metrics
    return str(metrics.get(stored.study.metric, {}).get("doc", ""))


def _data(study: Study, counts: ImageCounts | None) -> Section:
    if counts is None:
        return Section(name="data", title="Data")
    splits = counts.splits.values()
    rows: list[Sequence[Phrase]] = [
        [[shown(name)], *(_cells(split, name, counts) for split in splits)]
        for name in counts.classes
    ]
    rows.append([[Strong("all")], *(_whole(split, counts) for split in splits)])
    layout: Phrase = ["Layout ", Code(str(data_to_json(study)["kind"])), "."]
    return Section(
        name="data",
        title="Data",
        sentences=[layout, *([remark] for remark in counts.remarks())],
        table=Table(["class", *map(counts.heading, counts.splits)], rows),
    )


def _cells(split: SplitCounts, name: str, counts: ImageCounts) -> Phrase:
    return _count(split.images[name], split.groups[name], counts)


def _whole(split: SplitCounts, counts: ImageCounts) -> Phrase:
    return _count(split.all_images, split.all_groups, counts)


def _count(images: int, groups: int, counts: ImageCounts) -> Phrase:
    return [f"{whole(images)} of {whole(groups)}" if counts.is_grouped else whole(images)]


def _fixed(stored: StoredStudy) -> Table:
    rows: list[Sequence[Phrase]] = [
        [[Code(name)], [shown(exact(value))]]
        for name, value in stored.settled.items()
        if name not in stored.study.space.names
    ]
    return Table(["parameter", "value"], rows)


def _weights(stored: StoredStudy) -> Table:
    """Build a table of the weight files with their licences and digests."""
    rows: list[Sequence[Phrase]] = [
        [
            [Code(network)],
            [shown(record["licence"])],
            [shown(record["file"])],
            [Code(record["sha256"][:12])],
        ]
        for network, record in stored.found.weights.items()
    ]
    return Table(["network and weights", "licence", "file", "sha256"], rows)


def _fingerprints(row: StudyRow, stored: StoredStudy) -> Table:
    rows: list[Sequence[Phrase]] = [[["study"], [Code(fingerprint(stored))]]]
    if row.data_fingerprint != "none":
        rows.append([["data"], [Code(row.data_fingerprint)]])
    if own := stored.found.own:
        commit = f", commit {own['commit'][:12]}" if own["commit"] else ""
        changed = "" if own["is_clean"] or not commit else ", with changes"
        files = f"code ({_names(own['files'])}{commit}{changed})"
        rows.append([[files], [Code(code_digest(own))]])
    return Table(["of", "sha256"], rows)


def _names(files: Iterable[str]) -> str:
    """Return the first names of files, and the number of the others."""
    names = [*files]
    more = f" and {counted(len(names) - MOST_FILES, 'more file')}" if names[MOST_FILES:] else ""
    return ", ".join(names[:MOST_FILES]) + more
