"""Load the `Study` that a user names: a shipped study or a study file."""

import runpy
import traceback
from importlib import resources
from pathlib import Path

from spaces.errors import StudyError, nearest
from spaces.study import Study


def load_study(reference: str) -> Study:
    """Load a shipped study by its name ("gleason"), or a study file by its path ("my_study.py").

    Raises StudyError when there is none, or when the file cannot be used.
    """
    if reference.endswith(".py"):
        return _run(Path(reference))
    if reference not in shipped_studies():
        raise StudyError(
            f"no study is called {reference!r}",
            f"{nearest(reference, shipped_studies())}"
            " (or give the path of a study file, my_study.py)",
        )
    with resources.as_file(resources.files("spaces.shipped") / f"{reference}.py") as path:
        return _run(path)


def shipped_studies() -> tuple[str, ...]:
    """List the names of the studies that come with the package."""
    names = (Path(entry.name) for entry in resources.files("spaces.shipped").iterdir())
    return tuple(
        sorted(name.stem for name in names if name.suffix == ".py" and name.stem[0] != "_")
    )


def _run(path: Path) -> Study:
    if not path.is_file():
        raise StudyError(
            f"{path} does not exist", f"`search init {path}` writes a study to start from"
        )
    try:
        study = runpy.run_path(str(path)).get("study")
    except SyntaxError as error:
        raise StudyError(f"{path}:{error.lineno}: {error.msg}", "mend the line") from error
    except StudyError as error:
        raise StudyError(f"{path}:{_line(path, error)}: {error.found}", error.fix) from error
    except SystemExit as error:
        raise StudyError(
            f"{path}:{_line(path, error)}: the file ends the program", "remove the exit"
        ) from error
    except Exception as error:  # it is the user's code: anything may be raised
        raise StudyError(
            f"{path}:{_line(path, error)}: {type(error).__name__}: {error}", "mend the line"
        ) from error
    if not isinstance(study, Study):
        raise StudyError(f"{path} defines no `study`", "end it with `study = Study(...)`")
    return study


def _line(path: Path, error: BaseException) -> int | str:
    """Return the last line of the file that the error passed through."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename) == path and frame.lineno
    ]
    return lines[-1] if lines else "?"
