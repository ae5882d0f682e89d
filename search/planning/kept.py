"""Plans kept on this machine, for the run that starts the study here."""

import json
from pathlib import Path

from objectives.files.whole import write_text_whole
from search.planning.plan import Plan, as_mapping
from search.processes.machine import device_class
from search.settings import Settings
from spaces.stored import StoredStudy, fingerprint


def make_room(settings: Settings) -> Path:
    """Return the folder of the plans, made if need be; OSError where it cannot be made."""
    folder = settings.home / "plans"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def remember(plan: Plan, settings: Settings) -> None:
    """Keep a plan for the run that starts the study on this machine."""
    path = make_room(settings) / f"{plan.study}.json"
    write_text_whole(path, json.dumps(as_mapping(plan), indent=2))


def excluded_here(stored: StoredStudy, device: str, workers: int, settings: Settings) -> list[str]:
    """Return the backbones that are too large, by a plan of just this study, device and workers."""
    try:
        plan = json.loads((settings.home / "plans" / f"{stored.study.name}.json").read_text())
    except (OSError, ValueError, RecursionError):
        return []
    ours = {
        "fingerprint": fingerprint(stored),
        "device_class": device_class(device),
        "workers": workers,
    }
    if not (isinstance(plan, dict) and ours.items() <= plan.items()):
        return []
    excluded = plan.get("excluded")
    if not isinstance(excluded, list):  # a person may have edited the file
        return []
    return [each for each in excluded if isinstance(each, str)]
