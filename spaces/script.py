r"""A script of the author's as a study's objective: its command, and the way its results leave it.

Script("python train.py --lr {learning_rate} --epochs {epochs}")
Script("bash train.sh {config}", results=Lines(r"epoch (\d+).*val_loss ([\d.]+)"))
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from shlex import quote
from typing import Any, Literal, TypeAlias

from spaces.command import placeholders, words_of
from spaces.declared import check_types
from spaces.errors import StudyError, nearest

_NEEDS_QUOTES = re.compile(r"""[\s'"\\]|^$""")
EPOCH = "epoch"  # the group of a pattern, and the usual column, with the epoch's number
# The placeholders beside the hyperparameters; a hyperparameter of the same name comes first.
CONFIG, FOLDER = "config", "folder"
FACTS = (CONFIG, FOLDER, "resume_from", "seed", "device")


@dataclass(frozen=True)
class Reports:
    """Results that the script reports by `search.script`, or as lines of JSON."""


@dataclass(frozen=True)
class Lines:
    r"""Results that the script prints, one line per epoch.

    pattern: a regular expression, searched in each line of the output. Its groups are the epoch and
        the metrics: either named, `r"epoch (?P<epoch>\d+).* loss (?P<val_loss>[\d.]+)"`, or in
        order, the epoch first.
    metrics: the names of the groups after the first, where they are not named; one group alone is
        the study's metric.
    counts_from: the number of the script's first epoch, 1 or 0.
    """

    pattern: str
    metrics: tuple[str, ...] = ()
    counts_from: int = 1

    def __post_init__(self) -> None:
        check_types(self)
        object.__setattr__(self, "metrics", tuple(self.metrics))
        _check_counts_from(self)
        _check_groups(self, _compiled(self.pattern))

    def names(self, metric: str) -> tuple[str, ...]:
        """Return the names of the pattern's groups, in order; `metric` is the study's."""
        named = _compiled(self.pattern).groupindex
        return tuple(named) if named else (EPOCH, *(self.metrics or (metric,)))


@dataclass(frozen=True, kw_only=True)
class Table:
    """Results that the script writes into a CSV file, which it extends or writes anew.

    path: from where the script runs; `*` is any text, and of several files the newest counts.
    columns: the columns of the metrics, or a mapping of a metric to its column. An epoch's values
        may stand in several rows; the epoch is read once it has them all, or the next one began.
    epoch: the column of the epoch.
    counts_from: the number of the script's first epoch, 1 or 0 (as Lightning counts).
    """

    path: str = field(kw_only=False)
    columns: tuple[str, ...] | Mapping[str, str]
    epoch: str = EPOCH
    counts_from: int = 1

    def __post_init__(self) -> None:
        check_types(self)
        if not isinstance(self.columns, Mapping):
            object.__setattr__(self, "columns", tuple(self.columns))
        _check_counts_from(self)
        if not self.columns or self.epoch in self.column_of.values():
            raise StudyError(
                f"Table({self.path!r}): columns is {self.columns!r}",
                f"name the columns of the metrics; {self.epoch!r} is the epoch's",
            )
        if strange := set(placeholders([self.path])) - {FOLDER}:
            raise StudyError(
                f"Table({self.path!r}) has the placeholder {min(strange)!r}", "use {folder} or *"
            )

    @property
    def column_of(self) -> Mapping[str, str]:
        """The column of each metric."""
        columns = self.columns
        return columns if isinstance(columns, Mapping) else {each: each for each in columns}


Results: TypeAlias = Reports | Lines | Table
RESULT_KINDS: Mapping[str, type[Any]] = {"reports": Reports, "lines": Lines, "table": Table}
KIND_OF_RESULTS = {declared: kind for kind, declared in RESULT_KINDS.items()}


@dataclass(frozen=True, kw_only=True)
class Script:
    """A program of the author's that trains one configuration; no shell runs it.

    command: its words, or a text that is parted into words as a shell does. A name in braces is
        filled in: a hyperparameter, or a name of FACTS. `{{` is a brace.
    results: how the epochs' results leave the script.
    runs_in: its working folder, "study" (the study file's) or "trial" (one for each attempt, which
        is what `{folder}` is).
    grace_seconds: how long it may save after it was asked to end.
    deterministic: whether the same configuration and seed give the same numbers again, to the last
        bit; an epoch that comes with other numbers after a restart then ends the trial.
    """

    command: str | tuple[str, ...] = field(kw_only=False)
    results: Results | Mapping[str, Any] = Reports()
    runs_in: Literal["study", "trial"] = "study"
    grace_seconds: float = 30.0
    deterministic: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "results", _results(self.results))
        check_types(self)
        object.__setattr__(self, "command", words_of(self.command))
        if not self.command or not self.command[0]:
            raise StudyError("the script's command is empty", "write the program and its words")
        if self.runs_in not in ("study", "trial"):
            raise StudyError(f"Script: runs_in is {self.runs_in!r}", "use study or trial")
        if not self.grace_seconds >= 0:
            raise StudyError(f"Script: grace_seconds is {self.grace_seconds}", "use 0 or more")
        placeholders(self.command)  # its braces are right
        _check_own_table(self)

    def __str__(self) -> str:
        # A placeholder is no word that needs quotes.
        return " ".join(
            quote(word) if _NEEDS_QUOTES.search(word) else word for word in self.command
        )

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names in braces, each once."""
        return placeholders(self.command)

    def reported(self, metric: str) -> tuple[str, ...] | None:
        """Return the metrics that come from lines or a table; None where the script names them.

        metric: the study's.
        """
        match self.results:
            case Lines() as lines:
                return tuple(name for name in lines.names(metric) if name != EPOCH)
            case Table() as table:
                return tuple(table.column_of)
        return None

    def as_mapping(self, metric: str) -> dict[str, Any]:
        """Return the script as the plain mapping that `objectives.script` reads.

        metric: the study's.
        """
        results = {"kind": KIND_OF_RESULTS[type(self.results)], **asdict(self.results)}  # type: ignore[arg-type]
        if isinstance(self.results, Lines):
            results["groups"] = self.results.names(metric)
        if isinstance(self.results, Table):
            results["columns"] = dict(self.results.column_of)
        return {**asdict(self), "results": results}


def unknown_placeholders(script: Script, names: Iterable[str]) -> dict[str, str]:
    """Return the placeholders that are neither a hyperparameter nor known, each with its fix.

    names: of the hyperparameters that every trial has.
    """
    known = {*names, *FACTS}
    return {name: nearest(name, known) for name in script.placeholders if name not in known}


def unseen_parameters(script: Script, names: Iterable[str]) -> list[str]:
    """Return the hyperparameters that the script cannot read, whatever it does.

    A script that reports may read all of them, as one with `{config}` in its command.
    """
    if isinstance(script.results, Reports) or CONFIG in script.placeholders:
        return []
    return [name for name in names if name not in script.placeholders]


def _results(given: Any) -> Any:
    """Read results back from the mapping of their kind and fields; others stay as they are."""
    if not isinstance(given, Mapping):
        return given
    read = dict(given)
    kind = read.pop("kind", None)
    if kind not in RESULT_KINDS:
        raise StudyError(f"results are of kind {kind!r}", f"use {', '.join(RESULT_KINDS)}")
    return RESULT_KINDS[kind](**read)


def _check_counts_from(results: Lines | Table) -> None:
    if results.counts_from not in (0, 1):
        name = type(results).__name__
        raise StudyError(f"{name}: counts_from is {results.counts_from!r}", "use 1 or 0")


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise StudyError(f"Lines({pattern!r}) is no pattern ({error})", "correct it") from error


def _check_groups(lines: Lines, pattern: re.Pattern[str]) -> None:
    place, named = f"Lines({lines.pattern!r})", pattern.groupindex
    if named and (lines.metrics or len(named) < pattern.groups):
        raise StudyError(
            f"{place} has groups with a name and without", "name all, or write (?:...) for no group"
        )
    if named and (EPOCH not in named or len(named) < 2):
        raise StudyError(
            f"{place} has the groups {', '.join(named)}", "name one `epoch` and one as the metric"
        )
    metrics = lines.metrics or ("the study's",)
    if not named and pattern.groups != 1 + len(metrics):
        raise StudyError(
            f"{place} has {pattern.groups} groups for the epoch and {len(metrics)} metric(s)",
            'name each, (?P<epoch>...), or give metrics=("val_loss", ...)',
        )
    if len({EPOCH, *lines.metrics}) <= len(lines.metrics):
        raise StudyError(f"{place}: metrics is {lines.metrics}", "name each metric once")


def _check_own_table(script: Script) -> None:
    """Refuse a table into which trials that run side by side would all write."""
    table = script.results
    if not isinstance(table, Table) or script.runs_in == "trial":
        return
    if FOLDER not in placeholders([table.path]):
        raise StudyError(
            f"Table({table.path!r}) is one file for all trials",
            f'let the script write {{folder}}/{table.path} and name it so, or use runs_in="trial"',
        )
