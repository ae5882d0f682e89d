"""Run a study file as Python runs a script, with every error in one line that names the place."""

import io
import os
import runpy
import sys
import tokenize
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from shlex import quote
from typing import Any

from spaces.errors import StudyError
from spaces.misspelt import meant

OURS = ("search", "objectives", "spaces", "storage", "dashboards")


def run_file(path: Path) -> Mapping[str, Any]:
    """Run a file and return its names; modules beside it can be imported.

    What it prints goes to stderr: stdout may be JSON for a program. Raises StudyError for a file
    that cannot be read or run.
    """
    _check_text(path)
    try:
        with _as_script(path):
            return runpy.run_path(str(path))
    except SyntaxError as error:
        place = f"{error.filename or path}:{error.lineno}"
        raise StudyError(f"{place}: {error.msg}", "mend the line") from error
    except StudyError as error:
        raise StudyError(f"{_place(path, error)}: {error.found}", error.fix) from error
    except SystemExit as error:
        raise StudyError(
            f"{_place(path, error)}: the file ends the program", "remove the exit"
        ) from error
    except Exception as error:  # it is the user's code: anything may be raised
        raise StudyError(f"{_place(path, error)}: {_reason(error)}", _fix(error)) from error


def _check_text(path: Path) -> None:
    """Raise StudyError for a file that is not there, or is no text that Python reads."""
    if path.is_dir():
        raise StudyError(f"{path} is a folder", f"name the study file in it, {path / 'study.py'}")
    if not path.is_file():
        raise StudyError(
            f"{path} does not exist",
            f"`search init {quote(str(path))}` writes a study to start from",
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StudyError(
            f"{path} cannot be read ({error.strerror})", "let this user read it"
        ) from error
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise StudyError(f"{path} is encoded in UTF-16", "save it as UTF-8")
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise StudyError(f"{path}:{line}: the file has a zero byte", "save it as text, in UTF-8")
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(content).readline)[0]
        content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise StudyError(
            f"{path}:{line}: the file is not in {error.encoding.upper()}",
            "save it as UTF-8, or name its encoding in the first line: # -*- coding: latin-1 -*-",
        ) from error
    except SyntaxError as error:  # an unknown encoding, or one that is no text
        raise StudyError(f"{path}:1: {error.msg}", "save it as UTF-8") from error


@contextmanager
def _as_script(path: Path) -> Iterator[None]:
    """Let imports find the modules beside a file, and leave no trace of them."""
    folder, before = path.resolve().parent, {*sys.modules}
    kept = sys.path[:], sys.argv[:], sys.dont_write_bytecode
    sys.path.insert(0, str(folder))
    sys.argv[:] = [str(path)]
    sys.dont_write_bytecode = True  # reading a study writes nothing beside it
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.path[:], sys.argv[:], sys.dont_write_bytecode = kept
        # Another study may have a module of the same name beside it.
        new = [name for name in sys.modules if name not in before]
        for name in [name for name in new if _lies_beside(name, folder)]:
            del sys.modules[name]


def _lies_beside(name: str, folder: Path) -> bool:
    """Say whether a module, or the package that it belongs to, lies directly in the folder."""
    top = name.partition(".")[0]
    module = sys.modules.get(top)
    file, place = getattr(module, "__file__", None), folder / top
    paths = [file] if file else getattr(module, "__path__", ())  # a package without __init__.py
    beside = {place.with_name(f"{top}.py"), place / "__init__.py", place}
    return top not in OURS and any(Path(path) in beside for path in paths)


def _place(path: Path, error: BaseException) -> str:
    """Return file and last line, of those beside the study file, that the error passed through."""
    folder = path.resolve().parent
    places = [
        f"{frame.filename}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename) == path or Path(frame.filename).parent == folder
    ]
    return places[-1] if places else f"{path}:?"


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        return f"{Path(os.fsdecode(error.filename)).absolute()} is not there"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _fix(error: Exception) -> str:
    if name := meant(error):
        return name
    if isinstance(error, FileNotFoundError):
        return "correct the path, or put it there"
    if isinstance(error, ModuleNotFoundError) and error.name:
        top = error.name.partition(".")[0]
        return f"install {top} (pip install {top}), or put {top}.py beside the file"
    if isinstance(error, ImportError) and "relative import" in str(error):
        return "import it without the dot; modules beside the file are found"
    return "mend the line"
