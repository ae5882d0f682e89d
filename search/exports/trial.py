"""A trial written out: everything that is needed to train it again and to check the result."""

from collections.abc import Mapping
from typing import Any

import yaml

from dashboards.analysis.badges import badges
from dashboards.analysis.folds import value_epochs
from dashboards.analysis.snapshot import Snapshot, read_snapshot
from dashboards.analysis.unfinished import why_none_finished
from objectives import catalog
from objectives.contract import CLOCK_ENDING
from search.exports.exported import (
    Exported,
    ExportedData,
    ExportedEpoch,
    ExportedValue,
    TrainedOn,
)
from search.seeds import training_seed
from search.studies.code import code_used
from search.studies.splits import pack, places_in
from spaces.errors import StudyError
from spaces.stored import data_to_json, from_json
from spaces.study import Study
from storage.rows import AttemptRow, TrialRow
from storage.store import Store, StudyRow


def export_trial(store: Store, name: str, wanted: str) -> Exported:
    """Collect every resolved value, the seed, data, versions and metrics of a trial.

    wanted: "best" or a trial's number.
    Raises StudyError when there is no such trial, or it has no epoch yet.
    """
    row = store.study(name)
    stored, trial = from_json(row.definition), _pick(store, name, wanted)
    study = stored.study
    recorded = store.epochs(name, trial.number)
    if not recorded:
        raise StudyError(f"trial {trial.number} of {name!r} has no epoch yet", "export another one")
    metrics = {row.epoch: row.metrics for row in recorded}
    judged = value_epochs(study, {row.epoch: row.value for row in recorded}, metrics)
    config = stored.config(trial.params)
    attempts = store.attempts(name, trial.number)
    return Exported(
        study=name,
        trial=trial.number,
        outcome=str(trial.outcome or trial.state.lower()),
        badges=badges(config, trial.outcome, recorded),
        practice_data=stored.found.is_practice,
        objective=str(study.objective),
        own=code_used(stored.found.own, attempts[-1].machine.get("code", "")),
        config=config,
        searched=tuple(sorted(trial.params)),
        weights=stored.found.weights.get(catalog.weights_key(config), {}),
        seed=training_seed(study.seed, trial.number),
        data=_data(study, row, store.manifest(name)),
        skipped_checks=stored.found.skipped_checks,
        accepted_versions=stored.found.accepted_versions,
        test_uses=len(store.test_uses(name)),
        value=_value(study, trial),
        value_epochs=tuple(_epoch(epoch, metrics) for epoch in judged.values()),
        last_epoch=_epoch(max(metrics), metrics),
        trained_on=_machine(attempts[-1]),
        # More threads than one number: the bits of such a trial do not come back.
        threads_of_attempts=tuple(each.threads for each in attempts if each.epochs),
    )


def as_yaml(exported: Exported) -> str:
    """Return an export as YAML text, its fields in their own order."""
    return yaml.dump(exported.as_mapping(), Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines, which are code, as they stand; and everything in full."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write a value again where it comes again: whoever reads an export refuses aliases."""
        return True


def _written(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _written)


def _pick(store: Store, name: str, wanted: str) -> TrialRow:
    if wanted != "best":
        (trial,) = store.trials_of(name, [_number(store, name, wanted)])
        return trial
    if best := store.best_trials(name, 1):
        return best[0]
    raise _nothing_to_export(read_snapshot(store, name))


def _number(store: Store, name: str, wanted: str) -> int:
    count = store.counts(name).total
    if wanted.isascii() and wanted.isdigit() and int(wanted) < count:
        return int(wanted)
    raise StudyError(f"{name!r} has no trial {wanted!r}", f"use `best` or 0..{count - 1}")


def _nothing_to_export(snapshot: Snapshot) -> StudyError:
    why = why_none_finished(snapshot)
    begun = [*snapshot.look.firsts.values(), *snapshot.running]
    numbers = [trial.number for trial in begun if trial.last]
    as_it_is = f"; --trial {min(numbers)} writes one as it is" if numbers else ""
    return StudyError(f"{snapshot.study.name}: {why.found}", why.fix + as_it_is)


def _data(study: Study, row: StudyRow, manifest: str | None) -> ExportedData:
    return ExportedData(
        layout=data_to_json(study),
        split_seed=study.seed,
        folds=study.folds,
        has_test=study.has_test,
        fingerprint=row.data_fingerprint,
        splits=pack(places_in(manifest)) if manifest else None,
    )


def _value(study: Study, trial: TrialRow) -> ExportedValue:
    return ExportedValue(
        metric=study.metric,
        direction=study.direction,
        of=study.value,
        value=trial.value,
    )


def _machine(attempt: AttemptRow) -> TrainedOn:
    return TrainedOn(
        device=attempt.device,
        threads=attempt.threads,
        device_class=attempt.machine["device_class"],
        versions=attempt.machine["versions"],
        commit=attempt.machine.get("commit"),
    )


def _epoch(epoch: int, epochs: Mapping[int, Mapping[str, float]]) -> ExportedEpoch:
    """Leave out the times: the same configuration and seed do not give them again."""
    metrics = {
        name: value for name, value in epochs[epoch].items() if not name.endswith(CLOCK_ENDING)
    }
    return ExportedEpoch(epoch, metrics)
