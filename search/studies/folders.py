"""The folders of a study's data and of its own code on this machine; no path is stored with it."""

import json
import socket
from pathlib import Path

from objectives.contract import DataError
from objectives.files.whole import write_text_whole
from search.settings import Settings
from spaces.load import shipped_studies


def find_data(settings: Settings, study: str, given: Path | None, alias: str = "") -> Path:
    """Find the data folder of a study.

    It is the first of these that exists: the folder `given`, the folder that the study used last,
    `data/<study>`, the folder that the study's practice form used last.

    alias: the name that the study is stored under, if it is another.
    Raises DataError when there is none.
    """
    if given is not None:
        if not given.is_dir():
            raise DataError(f"{given} is not a folder", "give the data's folder with --data DIR")
        return given.resolve()
    usual = Path("data") / study
    used = _remembered(_data_file(settings))
    for folder in (used.get(alias), used.get(study), str(usual), used.get(f"{study}-practice")):
        if folder and Path(folder).is_dir():
            return Path(folder).resolve()
    shipped = study.removesuffix("-practice")
    practice = f", or draw a practice set with `search data make {shipped} --out {usual}`"
    raise DataError(
        f"no data for {study!r}",
        "give its folder with --data DIR" + (practice if shipped in shipped_studies() else ""),
    )


def find_code(settings: Settings, study: str, reference: str) -> Path | None:
    """Find the folder of a study's own code: that of the study file, else the one used last.

    reference: the study's file, or its name.
    Returns None where there is none on this machine.
    """
    if reference.endswith(".py"):
        return Path(reference).resolve().parent
    folder = _remembered(_code_file(settings)).get(study)
    return Path(folder) if folder and Path(folder).is_dir() else None


def remember_code(settings: Settings, study: str, folder: Path) -> None:
    """Note the folder of a study's own code for its workers, and for later commands."""
    _remember(_code_file(settings), study, folder)


def remember_data(settings: Settings, study: str, folder: Path) -> None:
    """Note the folder, so that the next command on this machine finds it by itself."""
    _remember(_data_file(settings), study, folder)


def _remember(file: Path, study: str, folder: Path) -> None:
    # By machine as well: those that share a home may have their data in different places.
    folders, here = _read(file), _of_host()
    ours = _paths(folders.get(here)) | {study: str(folder)}
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text_whole(file, json.dumps({**folders, study: str(folder), here: ours}, indent=2))


def _remembered(file: Path) -> dict[str, str]:
    """Return the folders by study: those of this machine, else of another in this home."""
    folders = _read(file)
    return _paths(folders) | _paths(folders.get(_of_host()))


def _read(file: Path) -> dict[str, object]:
    try:
        folders = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return folders if isinstance(folders, dict) else {}


def _paths(named: object) -> dict[str, str]:
    pairs = named.items() if isinstance(named, dict) else ()
    return {study: folder for study, folder in pairs if isinstance(folder, str)}


def _of_host() -> str:
    return f"on {socket.gethostname()}"  # a study's name has no blank


def _data_file(settings: Settings) -> Path:
    return settings.home / "data.json"


def _code_file(settings: Settings) -> Path:
    return settings.home / "code.json"
