"""Load the `Study` that a user names: a shipped study or a study file."""

from importlib import resources
from pathlib import Path

from spaces.errors import StudyError, closest
from spaces.run_file import run_file
from spaces.study import Study


def load_study(reference: str) -> Study:
    """Load a shipped study by its name ("gleason"), or a study file by its path ("my_study.py").

    Raises StudyError when there is none, or when the file cannot be used.
    """
    if reference.endswith(".py"):
        return _from_file(Path(reference))
    if reference not in shipped_studies():
        raise StudyError(f"no study is called {reference!r}", _way_to_a_study(reference))
    with resources.as_file(resources.files("spaces.shipped") / f"{reference}.py") as path:
        return _from_file(path)


def shipped_studies() -> tuple[str, ...]:
    """List the names of the studies that come with the package."""
    names = (Path(entry.name) for entry in resources.files("spaces.shipped").iterdir())
    return tuple(
        sorted(name.stem for name in names if name.suffix == ".py" and name.stem[0] != "_")
    )


def _way_to_a_study(reference: str) -> str:
    if reference.endswith(".ipynb"):
        return "copy the notebook's cells with the study into a file such as my_study.py"
    if Path(f"{reference}.py").is_file():
        return f"did you mean the file {reference}.py?"
    if Path(reference).is_file():
        return "a study file's name ends in .py"
    near, shipped = closest(reference, shipped_studies()), ", ".join(shipped_studies())
    if near:
        return f"did you mean {near!r}? (or give the path of a study file, my_study.py)"
    return f"give the path of a study file, my_study.py, or one of the shipped {shipped}"


def _from_file(path: Path) -> Study:
    found = run_file(path)
    study = found.get("study")
    if isinstance(study, Study):
        return study
    others = [name for name, value in found.items() if isinstance(value, Study)]
    if study is not None:
        raise StudyError(
            f"`study` in {path} is a {type(study).__name__} and not a Study",
            "end the file with `study = Study(...)`; it holds one",
        )
    if others:
        raise StudyError(
            f"{path} defines no `study`, but {' and '.join(others)}",
            "call the one to run `study`; a file holds one",
        )
    raise StudyError(f"{path} defines no `study`", "end it with `study = Study(...)`")
