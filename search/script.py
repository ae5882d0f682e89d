"""The trial that a script of yours trains: `from search.script import trial`.

    learning_rate = trial.config["learning_rate"]
    model = load(trial.resume_from / "model.pt") if trial.resume_from else Model()
    for epoch in range(first, trial.config["epochs"] + 1):
        ...  # train, call trial.progress() now and then where an epoch is long
        save(trial.folder / "model.pt")  # before the report, and nothing is trained twice
        trial.report(epoch, val_loss=loss)

Run by hand it needs nothing of search: the configuration is `--learning_rate 0.01` from the command
line, the folder is the current one, and reports are printed. It stands on the standard library of
Python 3.9 alone, and imports in milliseconds: a copy of this file serves a Python without search.
"""

import json
import operator
import os
import sys
import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, SupportsFloat

# What `objectives.script` reads and writes at the other end.
TRIAL_FILE, REPORT_FILE, ANSWERS = "SEARCH_TRIAL_FILE", "SEARCH_REPORT", "SEARCH_ANSWERS"
REPORTING, REPORTED, PROGRESS = b"w", b"r", b"p"
GO_ON, REFUSED = b"g", b"n"
PROGRESS_SECONDS = 1.0  # steps may be many: progress is told once a second


class Ended(SystemExit):
    """The trial is to end now: it was pruned, or its worker stops or is gone.

    It ends the program with exit code 0, and `with` and `finally` do their work on the way.
    """


class Row(NamedTuple):
    """An image of the study.

    path: of its file, or of the folder with the files of a patient.
    class_index: the position of the label among the study's classes.
    fold: the fold in which it is validated on; None where the study has no folds.
    columns: the columns that the study declares as `metadata`; None for a missing value.
    """

    path: Path
    label: str
    class_index: int
    group: str
    split: str
    fold: "int | None"
    columns: "dict[str, Any]"


class _Config(dict[str, Any]):
    def __missing__(self, name: str) -> NoReturn:
        known = ", ".join(self) or "nothing"
        raise KeyError(f"{name}: the configuration has {known}; fix or search it, or use .get")


class Trial:
    """The trial that this script trains."""

    @cached_property
    def config(self) -> dict[str, Any]:
        """The hyperparameters by name."""
        return _Config(self._facts["config"] if self._facts else _from_words(sys.argv[1:]))

    @cached_property
    def folder(self) -> Path:
        """The folder for the files of this attempt."""
        return Path(self._facts.get("folder", ""))

    @property
    def resume_from(self) -> "Path | None":
        """The folder that an earlier attempt at this trial has left; None at the beginning."""
        found = self._facts.get("resume_from")
        return Path(found) if found else None

    @property
    def seed(self) -> int:
        """The trial's seed; 0 by hand."""
        return int(self._facts.get("seed", 0))

    @property
    def device(self) -> str:
        """The device, as torch calls it: "cuda" or "cpu"; "cpu" by hand."""
        return str(self._facts.get("device", "cpu"))

    @property
    def threads(self) -> int:
        """The number of CPU threads to use."""
        return int(self._facts.get("threads", os.cpu_count() or 1))

    @property
    def folds(self) -> int:
        """The number of folds that a trial trains one after another; 0 where there is one split."""
        return int(self._facts.get("folds", 0))

    def rows(self, split: str, fold: int = 1) -> "list[Row]":
        """Return the images of "train" or "val", from the list that the study keeps.

        fold: the one to validate on, where the study has folds; train is then all others.
        """
        if split not in ("train", "val"):
            found = "is sealed during a search (C14)" if split == "test" else "is unknown"
            raise ValueError(f"the split {split!r} {found}; read the rows of 'train' and 'val'")
        rows, folds = self._rows, self.folds
        if not 1 <= fold <= max(folds, 1):
            known = f"give one from 1 to {folds}" if folds else "leave it out: there are no folds"
            raise ValueError(f"there is no fold {fold}; {known}")
        if not folds:
            return [row for row in rows if row.split == split]
        own = [row for row in rows if (row.fold == fold) == (split == "val")]
        return [row._replace(split=split) for row in own]

    def report(self, epoch: int, **metrics: SupportsFloat) -> None:
        """Report a finished epoch, 1 for the first; raise Ended where the trial is to end.

        Save before: whatever the script leaves in its folder, the next attempt can resume from.
        Of several processes that torchrun starts, the first alone reports (RANK 0).
        """
        numbers = {name: float(value) for name, value in metrics.items()}
        number = operator.index(epoch)
        if number < 1:
            raise ValueError(f"epoch {number} is reported; count from 1, the first finished one")
        if os.environ.get("RANK", "0") != "0":
            return
        if not self._report_file:
            print(f"epoch {number}:", *(f"{name} {each:g}" for name, each in numbers.items()))
            return
        line = json.dumps({"epoch": number, **numbers}) + "\n"
        self._say(REPORTING)
        with open(self._report_file, "ab", buffering=0) as file:  # noqa: PTH123 - an opened one
            file.write(line.encode())
        if self._socket:
            self._obey(self._ask())

    def progress(self) -> None:
        """Tell that the script moves, such as at each step; one that never does is started anew."""
        if time.monotonic() >= self._next_progress:
            self._next_progress = time.monotonic() + PROGRESS_SECONDS
            self._say(PROGRESS)

    _next_progress = 0.0

    @cached_property
    def _facts(self) -> "dict[str, Any]":
        file = os.environ.get(TRIAL_FILE)
        facts: dict[str, Any] = json.loads(Path(file).read_text("utf-8")) if file else {}
        return facts

    @cached_property
    def _rows(self) -> "list[Row]":
        file = self._facts.get("rows")
        if not file:
            by_hand = "by hand there are no rows; run a study that has data"
            raise ValueError(self._facts.get("no_rows", by_hand))
        with open(file, encoding="utf-8") as lines:  # noqa: PTH123 - a path of text
            read = [Row(**json.loads(line)) for line in lines]
        return [row._replace(path=Path(row.path)) for row in read]

    @cached_property
    def _report_file(self) -> "str | None":
        return os.environ.get(REPORT_FILE)

    @cached_property
    def _socket(self) -> Any:
        """The way to the worker; None by hand, and where another machine runs the script."""
        import socket

        name = os.environ.get(ANSWERS)
        found = socket.socket(socket.AF_UNIX) if name else None
        try:
            if found:
                found.connect(f"\0{name}")
        except OSError:
            return None
        return found

    def _ask(self) -> bytes:
        """Return the worker's answer to a report; nothing where the worker is gone."""
        try:
            self._socket.sendall(REPORTED)
            answer: bytes = self._socket.recv(1)
        except OSError:
            return b""
        return answer

    def _obey(self, answer: bytes) -> None:
        if answer == REFUSED:  # another user runs the script: its reports count without answers
            self._socket = None
        elif answer != GO_ON:
            raise Ended(0)

    def _say(self, word: bytes) -> None:
        with suppress(OSError):  # the worker is gone, and so will this process be in a moment
            if self._socket:
                self._socket.sendall(word)


def _from_words(words: "list[str]") -> "dict[str, Any]":
    """Read `--name value` and `--name=value`; a value that is JSON is read as such."""
    found: dict[str, Any] = {}
    for at, word in enumerate(words):
        if word.startswith("--"):
            name, has_value, value = word[2:].partition("=")
            after = "".join(words[at + 1 : at + 2])
            found[name.replace("-", "_")] = _value(value if has_value else after)
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


trial = Trial()
