"""The fleet of a study, remembered in its folder of the home between commands."""

import json
from dataclasses import asdict
from pathlib import Path

from objectives.files.whole import write_text_whole
from search.errors import UsageError
from search.fleet.engine import Fleet
from search.settings import Settings


def remember(settings: Settings, fleet: Fleet) -> None:
    """Note a fleet, in the place of an earlier one of its study."""
    file = _file(settings, fleet.study)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text_whole(file, json.dumps(asdict(fleet), indent=2))


def remembered(settings: Settings, study: str) -> Fleet | None:
    """Return the fleet of a study, None where this home has started none."""
    try:
        return Fleet(**json.loads(_file(settings, study).read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise UsageError(
            f"{_file(settings, study)} is not a fleet's file",
            f"remove it, and repeat `search fleet up --study {study}`, which finds the workers",
        ) from None


def forget(settings: Settings, study: str) -> None:
    """Remove the note of a fleet that is down."""
    _file(settings, study).unlink(missing_ok=True)


def _file(settings: Settings, study: str) -> Path:
    return settings.study_folder(study) / "fleet.json"
