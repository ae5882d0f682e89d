"""The result of examining a study before it runs, and the errors that stop a run."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from objectives.contract import DataError, RecipeError
from objectives.data.left_out import lines
from objectives.data.problems import Problem
from search.errors import MachineMismatch
from search.settings import Settings
from search.studies.course import Course, course_of
from search.studies.declare import find_study, overridden
from search.studies.networks import WeightRecords
from search.studies.overrides import Overrides
from search.studies.prepare import Prepared
from search.studies.rules import find_rules
from spaces.errors import StudyError
from spaces.exits import DONE, MISMATCH, WRONG
from spaces.rules.finding import Finding
from spaces.space import Space
from spaces.stored import StoredStudy

if TYPE_CHECKING:  # numpy, which checking the rules alone does without
    from objectives.data.checks.fix import Mended
    from search.studies.throughput import Throughput

LEVELS = ("error", "warn", "info")


@dataclass(frozen=True, kw_only=True)
class DataCheck:
    """The data of a study, and the problems in them.

    problems: errors first.
    seconds: how long reading and checking took.
    opened: the number of images that were opened. Facts about an image are kept with its size and
        time, so that an unchanged one is not opened again.
    """

    prepared: Prepared
    problems: Sequence[Problem]
    seconds: float
    opened: int


@dataclass(frozen=True, kw_only=True)
class Examined:
    """The result of an examination.

    asked: the words after `--study` that name the study in a command.
    space: its searched hyperparameters.
    course: how it will go on, where no rule is broken by an error.
    rules: the findings of its rules.
    skipped: the rules of the data whose errors do not stop a run.
    listed: the problems found while the images were listed, where they could not be divided.
    data: None where they were not examined, or could not be read.
    mended: the split that was written because it mends problems of the data.
    split_note: the origin of a new study's splits, if `search check --fix` wrote them.
    mismatch: the difference between this machine's data and those of the stored study.
    weights: a record of each file of weights that a network starts from.
    trouble: the error that ended the examination early.
    """

    study: str
    asked: str
    space: Space
    rules: Sequence[Finding]
    course: Course | None = None
    skipped: Collection[str] = ()
    listed: Sequence[Problem] = ()
    data: DataCheck | None = None
    mended: "Mended | None" = None
    split_note: str = ""
    mismatch: str = ""
    weights: WeightRecords = field(default_factory=dict)
    throughput: "Throughput | None" = None
    trouble: DataError | RecipeError | StudyError | None = None

    @property
    def found(self) -> list[Finding | Problem]:
        """All findings: errors first, and within a level the study's before the data's."""
        problems = self.data.problems if self.data else self.listed
        other = [Problem(rule="C16", level="error", message=self.mismatch)] if self.mismatch else []
        found: list[Finding | Problem] = [*self.rules, *other, *problems]
        return sorted(found, key=lambda each: LEVELS.index(each.level))

    @property
    def exit_code(self) -> int:
        """The exit code of a run that these findings refuse; DONE where nothing stops it."""
        if self.mismatch:
            return MISMATCH
        errors = {each.rule for each in self.found if each.level == "error"}
        return WRONG if errors - {*self.skipped} or self.trouble else DONE

    def accepted(self) -> Prepared:
        """Return the study with its data; raises the first error for which a run is refused.

        That is StudyError, DataError, RecipeError or MachineMismatch.
        """
        for finding in self.rules:
            if finding.level == "error":
                raise StudyError(f"{self.study}: {finding.message} ({finding.rule})")
        if self.data is None:
            self._refuse_problems(self.listed)
            raise self.trouble or DataError(f"the data of {self.study!r} were not examined")
        if self.mismatch:  # the problems of other data are of no interest
            raise MachineMismatch(f"{self.mismatch} (C16)")
        self._refuse_problems(self.data.problems)
        if self.trouble:
            raise self.trouble
        return self.data.prepared

    def notes(self) -> Iterator[str]:
        """Yield warnings, skipped errors and what is left out in lines to be read before a run."""
        yield from (f"{finding.message} ({finding.rule})" for finding in self.rules)
        if self.split_note:
            yield self.split_note
        if self.data:
            yield from lines(self.data.prepared.summary.left_out)
        problems = self.data.problems if self.data else ()
        levels = [(each.rule, each.level) for each in problems]
        warned = [rule for rule, level in levels if level == "warn" and rule not in self.skipped]
        if warned:
            rules = ", ".join(dict.fromkeys(warned))
            yield (
                f"{_counted(len(warned), 'warning')} of the data ({rules});"
                f" see `search check --study {self.asked}`"
            )
        skipped = [rule for rule, level in levels if level == "error" and rule in self.skipped]
        if skipped:
            count, rules = _counted(len(skipped), "error"), ", ".join(dict.fromkeys(skipped))
            yield f"{count} of the data skipped by --skip-check ({rules})"

    def _refuse_problems(self, problems: Sequence[Problem]) -> None:
        errors = [each for each in problems if each.level == "error"]
        stopping = [each for each in errors if each.rule not in self.skipped]
        if stopping:
            first, more = stopping[0], len(stopping) - 1
            others = f"; and {_counted(more, 'more error')}" if more else ""
            raise DataError(
                f"{self.study}: {first.message} ({first.rule}){others}",
                f"see `search check --study {self.asked}`",
            )


def examine_rules(overrides: Overrides, settings: Settings) -> Examined:
    """Check the rules of a study alone; needs no data and no database."""
    stored = overridden(find_study(overrides.reference, settings), overrides)
    return examined_rules(stored, find_rules(stored), overrides)


def examined_rules(stored: StoredStudy, rules: Sequence[Finding], overrides: Overrides) -> Examined:
    """Return what the rules alone tell of a study."""
    is_right = all(finding.level != "error" for finding in rules)
    return Examined(
        study=stored.study.name,
        asked=overrides.words,
        space=stored.study.space,
        rules=rules,
        course=course_of(stored) if is_right else None,
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("s" if count != 1 else "")
