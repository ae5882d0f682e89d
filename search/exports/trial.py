"""A trial written out: everything that is needed to train it again and to check the result."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from objectives import catalog
from objectives.files.whole import write_text_whole
from search.analysis.badges import badges
from search.analysis.folds import value_epochs
from search.analysis.snapshot import Snapshot, read_snapshot
from search.seeds import training_seed
from search.studies.splits import pack, places_in
from spaces.errors import StudyError
from spaces.stored import data_to_json
from spaces.study import Study
from storage.rows import TrialRow
from storage.store import Store, StudyRow

EXPORT_FORMAT = 1
MACHINE_KEYS = ("device_class", "versions", "commit")


def export(store: Store, name: str, wanted: str) -> dict[str, Any]:
    """Give a trial as plain data: every resolved value, seed, data, versions, metrics.

    wanted: "best" or a trial's number. Raises StudyError when there is no such trial.
    """
    snapshot = read_snapshot(store, name)
    study, trial = snapshot.study, _pick(snapshot, wanted)
    recorded = store.epochs(name, trial.number)
    epochs = {each.epoch: dict(each.metrics) for each in recorded}
    judged = value_epochs(study, {each.epoch: each.value for each in recorded}, epochs)
    if not epochs:
        raise StudyError(f"trial {trial.number} of {name!r} has no epoch yet; export another one")
    attempts = store.attempts(name, trial.number)
    attempt = attempts[-1]
    return {
        "format": EXPORT_FORMAT,
        "study": name,
        "trial": trial.number,
        "outcome": str(trial.outcome or trial.state.lower()),
        "badges": list(badges(study.config(trial.params), trial.outcome, recorded)),
        "practice_data": study.is_practice,
        "objective": study.objective,
        "config": study.config(trial.params),
        "searched": sorted(trial.params),
        "weights": _weights(study, trial),
        "seed": training_seed(study.seed, trial.number),
        "data": _data(study, snapshot.row, store.manifest(name)),
        "skipped_checks": list(study.skipped_checks),
        "test_uses": len(snapshot.test_uses),
        "value": _value(study, trial, list(judged.values())),
        "metrics": {
            **_of_folds(
                study, "value_epoch", [_exact(study, each, epochs) for each in judged.values()]
            ),
            "last_epoch": _exact(study, max(epochs), epochs),
        },
        "trained_on": {
            "device": attempt.device,
            "threads": attempt.threads,
            **{key: attempt.machine.get(key) for key in MACHINE_KEYS},
        },
        # More threads than one number: the bits of such a trial do not come back.
        "threads_of_attempts": [each.threads for each in attempts if each.epochs],
    }


def write_yaml(exported: Mapping[str, Any], out: Path) -> None:
    """Write an export to a file, whole or not at all; a float comes back to the last bit."""
    if out.is_dir():
        raise StudyError(f"{out} is a folder; name a file in it, --out {out / 'best.yaml'}")
    if out.exists() and not out.is_file():  # replacing a device would remove it
        raise StudyError(f"{out} is no file; leave --out away to write to the terminal")
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text_whole(out, as_yaml(exported))


def as_yaml(exported: Mapping[str, Any]) -> str:
    """Give an export as YAML text in its own order."""
    return yaml.safe_dump(dict(exported), sort_keys=False, allow_unicode=True)


def _pick(snapshot: Snapshot, wanted: str) -> TrialRow:
    name, count = snapshot.study.name, len(snapshot.trials)
    if wanted == "best":
        if snapshot.best is None:
            raise StudyError(f"no trial of {name!r} has finished yet; wait, or export --trial N")
        return snapshot.best
    trial = snapshot.trial(int(wanted)) if wanted.isascii() and wanted.isdigit() else None
    if trial is None:
        raise StudyError(f"{name!r} has no trial {wanted!r}; use `best` or 0..{count - 1}")
    return trial


def _data(study: Study, row: StudyRow, manifest: str | None) -> dict[str, Any]:
    frozen = {"splits": pack(places_in(manifest))} if manifest else {}
    return {
        "layout": data_to_json(study),
        "split_seed": study.seed,
        "folds": study.folds,
        "has_test": study.has_test,
        "fingerprint": row.data_fingerprint,
        **frozen,
    }


def _weights(study: Study, trial: TrialRow) -> dict[str, str]:
    """Give the file that the trial started from; nothing where it started at random."""
    return dict(study.weights.get(catalog.weights_key(study.config(trial.params)), {}))


def _value(study: Study, trial: TrialRow, judged: Sequence[int]) -> dict[str, Any]:
    """Give the value and where it was seen: at one epoch, or as the mean of one in each fold."""
    return {
        "metric": study.metric,
        "direction": study.direction,
        "of": study.value,
        **_of_folds(study, "epoch", judged),
        "value": trial.value,
    }


def _of_folds(study: Study, name: str, each: Sequence[Any]) -> dict[str, Any]:
    """Give a list with one for each fold, under the plural; without folds just the one."""
    return {f"{name}s": list(each)} if study.folds else {name: each[0]}


def _exact(study: Study, epoch: int, epochs: Mapping[int, Mapping[str, float]]) -> dict[str, Any]:
    """Give what the same configuration and seed give again: every metric but the times."""
    known = catalog.describe(study.objective).metrics
    again = {
        name: value
        for name, value in epochs[epoch].items()
        if known.get(name, {}).get("exact", True)
    }
    return {"epoch": epoch, **again}
