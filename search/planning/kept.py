"""Plans kept on this machine, for the run that starts the study here."""

import json
from pathlib import Path
from typing import Any

from objectives.files.whole import write_text_whole
from search.planning.plan import Plan, as_mapping
from search.processes.devices import DeviceShare
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


def excluded_here(stored: StoredStudy, share: DeviceShare, settings: Settings) -> list[str]:
    """Return the backbones that are too large, by a plan of just this study and such a share."""
    excluded = _plan_of(stored, share, settings).get("excluded")
    if not isinstance(excluded, list):  # a person may have edited the file
        return []
    return [each for each in excluded if isinstance(each, str)]


def room_note(stored: StoredStudy, share: DeviceShare, settings: Settings) -> str:
    """Say why workers that share a GPU may lack memory, "" where a plan says that they fit."""
    if share.device != "cuda" or share.sharers == 1:
        return ""
    measure = f"`search plan --study {stored.study.name} --per-gpu {share.sharers}`"
    most = _plan_of(stored, share, settings).get("most_per_device")
    if not isinstance(most, int):
        return f"whether {share.sharers} workers fit on one GPU is not measured; {measure} does it"
    if most >= share.sharers:
        return ""
    return (
        f"{share.sharers} workers do not fit on one GPU with whole batches, {most} would: larger"
        f" networks train in parts or run out of memory; {measure} lists them"
    )


def _plan_of(stored: StoredStudy, share: DeviceShare, settings: Settings) -> dict[str, Any]:
    """Read the plan of just this study, kind of device and share of it; empty without one."""
    try:
        plan = json.loads((settings.home / "plans" / f"{stored.study.name}.json").read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    ours = {
        "fingerprint": fingerprint(stored),
        "device_class": device_class(share.device),
        "per_device": share.sharers,
    }
    return plan if isinstance(plan, dict) and ours.items() <= plan.items() else {}
