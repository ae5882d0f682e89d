"""A script as an objective: started, read until it ends, and asked to end where it must."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from glob import escape
from pathlib import Path
from typing import Any

from objectives.contract import OUTPUT_LOG, Attempt, EpochResult, Objective, RecipeError
from objectives.files.disk import when_there_is_room
from objectives.script.answers import Answers
from objectives.script.command import beside_the_study, check_program, fill, script_name
from objectives.script.environment import ANSWERS, REPORT_FILE, TRIAL_FILE, script_environment
from objectives.script.failures import fault
from objectives.script.follow import Following
from objectives.script.lines import LineReader
from objectives.script.output import Output
from objectives.script.process import ScriptProcess
from objectives.script.reader import Reader
from objectives.script.reports import REPORTS, ReportReader
from objectives.script.rows_file import ROWS, RowsFile
from objectives.script.table import TableReader

CONFIG, TRIAL = "config.json", "trial.json"
# The files in an attempt's folder that are not the script's own.
OUR_FILES = (OUTPUT_LOG, REPORTS, CONFIG, TRIAL, ROWS)


def script_objective(declared: Mapping[str, Any], folder: Path) -> Objective:
    """Return a script as an objective.

    Closing its generator ends the script: it has its grace time to save.

    declared: the script as a plain mapping, see `spaces.script.Script.as_mapping`.
    folder: of the study file.
    """
    rows = RowsFile()

    def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
        start = _Start(declared=declared, study=folder.resolve(), config=config, attempt=attempt)
        try:
            check_program(declared["command"], start.study, start.variables["PATH"])
        except RecipeError as error:
            raise fault(start.name, f"cannot start: {error}") from None
        start.write_files(rows.write(attempt))
        yield from _follow(start)

    return train


def check_script(declared: Mapping[str, Any], folder: Path) -> None:
    """Raise RecipeError, with the fix, for a script that cannot be started on this machine.

    declared, folder: as for `script_objective`.
    """
    programs = script_environment(os.environ, {})["PATH"]
    check_program(declared["command"], folder, programs)


def _follow(start: "_Start") -> Iterator[EpochResult]:
    with ExitStack() as stack:
        output = stack.enter_context(Output(start.folder / OUTPUT_LOG))
        answers = stack.enter_context(Answers())
        environment = {**start.variables, ANSWERS: answers.name}
        process = ScriptProcess(start.words, start.works_in, environment, output.writer)
        stack.enter_context(process)
        following = Following(
            name=start.name,
            process=process,
            output=output,
            answers=answers,
            reader=start.reader,
            attempt=start.attempt,
        )
        try:
            yield from following.results()
        finally:
            following.end(start.declared["grace_seconds"])


@dataclass(frozen=True, kw_only=True)
class _Start:
    """All that a script needs to start one attempt.

    study: the folder of the study file.
    """

    declared: Mapping[str, Any]
    study: Path
    config: Mapping[str, Any]
    attempt: Attempt

    @property
    def name(self) -> str:
        """How messages call the script."""
        return script_name(self.declared["command"])

    @property
    def folder(self) -> Path:
        """The attempt's folder."""
        return self.attempt.folder.resolve()

    @property
    def works_in(self) -> Path:
        """The script's working folder."""
        return self.folder if self.declared["runs_in"] == "trial" else self.study

    @cached_property
    def words(self) -> list[str]:
        """The command with this trial's values."""
        words = list(self.declared["command"])
        if self.works_in != self.study:
            words = beside_the_study(words, self.study)
        own = {"config": str(self.folder / CONFIG)}
        return fill(words, self.config, {**self._facts, **own})

    @cached_property
    def variables(self) -> dict[str, str]:
        """The environment of the script."""
        threads = str(self.attempt.threads)
        facts = {
            TRIAL_FILE: str(self.folder / TRIAL),
            REPORT_FILE: str(self.folder / REPORTS),
            "OMP_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
        }
        return script_environment(os.environ, facts)

    @property
    def reader(self) -> Reader:
        """The reader of the script's results."""
        results = self.declared["results"]
        match results["kind"]:
            case "lines":
                return LineReader(results["pattern"], results["groups"], results["counts_from"])
            case "table":
                path = results["path"].format_map({"folder": escape(str(self.folder))})
                path = os.path.join(escape(str(self.works_in)), path)  # noqa: PTH118 - a pattern
                columns, counts_from = results["columns"], results["counts_from"]
                return TableReader(path, columns, results["epoch"], counts_from)
        return ReportReader(self.folder / REPORTS)

    def write_files(self, rows: Mapping[str, str | None]) -> None:
        """Write the files that the script reads, and the empty one to which it may append.

        rows: where the study's images are listed.
        """
        numbers = {"threads": self.attempt.threads, "folds": self.attempt.folds}
        trial = {"config": self.config, **self._facts, **numbers, **rows}
        for name, told in ((CONFIG, dict(self.config)), (TRIAL, trial)):
            self._write(name, json.dumps(told, indent=1))
        self._write(REPORTS, "")

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        when_there_is_room(
            lambda: path.write_text(text, encoding="utf-8"), self.folder, self.attempt.progress
        )

    @property
    def _facts(self) -> dict[str, Any]:
        resume_from = self.attempt.resume_from
        return {
            "folder": str(self.folder),
            "resume_from": resume_from and str(resume_from.resolve()),
            "seed": self.attempt.seed,
            "device": self.attempt.device,
        }
