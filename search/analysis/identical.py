"""Pairs of trials that should have begun differently and did not: what differs was not read."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from objectives import catalog
from search.analysis.snapshot import Snapshot
from spaces.params import Value
from spaces.rules.conditions import can_act
from spaces.space import TrialConfig
from storage.rows import EpochRow
from storage.store import Store


@dataclass(frozen=True)
class IdenticalTrials:
    """Two trials that differ in what matters to a metric by one key, and read the same there."""

    key: str
    values: tuple[Value, Value]
    trials: tuple[int, int]
    metric: str

    @property
    def words(self) -> str:
        """The suspicion in a line, with what to do about it."""
        (one, other), (first, second) = self.values, self.trials
        return (
            f"{self.key}={one} and {self.key}={other} gave the same {self.metric} to the last bit"
            f" in trials {first} and {second}: does nothing read {self.key}? Mend that, or search"
            " it no longer (D02)"
        )


def read_identical_trials(store: Store, snapshot: Snapshot) -> list[IdenticalTrials]:
    """Find the identical trials of a study, one pair per key."""
    study, known = snapshot.study, catalog.describe(snapshot.study.objective)
    measures = _measures(known.metrics)
    if not measures:
        return []
    # A study of before knows nothing of hyperparameters that are new: the recipe fills them in.
    defaults = {name: field["default"] for name, field in known.fields.items()}
    configs = {
        trial.number: {**defaults, **study.config(trial.params)} for trial in snapshot.trials
    }
    firsts = [row for row in store.epochs(study.name) if row.epoch == 1 and row.number in configs]
    return find_identical_trials(configs, firsts, known.fields, measures)


def find_identical_trials(
    configs: Mapping[int, TrialConfig],
    firsts: Sequence[EpochRow],
    fields: Mapping[str, Mapping[str, Any]],
    measures: Mapping[str, Sequence[str]],
) -> list[IdenticalTrials]:
    """Give a pair of trials for each key that was not read, the earliest.

    configs: whole ones, by trial number. firsts: the trials' first epochs. measures: metric -> the
    keys that must show in it, of a metric that depends on nothing else that differs between trials,
    such as their seeds. What cannot act in a trial (`acts_when`) is none of its keys, and what
    waits for a key goes with it.

    An equal metric proves that these two trials did the same up to there: a key that was read but
    made no difference, such as a weight per class where all classes are as frequent, is told as
    well. Nothing is found before two trials agree in all other keys that show in the metric, and a
    key that acts later than the metric sees, such as epochs, is never a suspect.
    """
    found: dict[str, IdenticalTrials] = {}
    for metric, keys in measures.items():
        for pair in _pairs(configs, firsts, fields, metric, keys):
            found.setdefault(pair.key, pair)
    return list(found.values())


def _measures(metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, Sequence[str]]:
    """Give the metrics that the study's seed and the configuration alone decide: the first step."""
    return {
        name: known["changed_by"] for name, known in metrics.items() if name.startswith("first_")
    }


def _pairs(
    configs: Mapping[int, TrialConfig],
    firsts: Sequence[EpochRow],
    fields: Mapping[str, Mapping[str, Any]],
    metric: str,
    keys: Sequence[str],
) -> Iterator[IdenticalTrials]:
    seen: dict[tuple[Any, ...], int] = {}
    for row in sorted(firsts, key=lambda row: row.number):
        config, value = configs[row.number], row.metrics.get(metric, math.nan)
        if not math.isfinite(value):
            continue
        acting = {
            key: config[key] for key in keys if key in fields and can_act(fields[key], config)
        }
        for key in acting:
            others = tuple(
                item
                for item in acting.items()
                if item[0] != key and not _waits(fields[item[0]], key)
            )
            earlier = seen.setdefault((key, value, others), row.number)
            if configs[earlier][key] != config[key]:
                values = (configs[earlier][key], config[key])
                yield IdenticalTrials(key, values, (earlier, row.number), metric)


def _waits(field: Mapping[str, Any], key: str) -> bool:
    """Say whether a field acts only under a condition on `key`."""
    return any(key in condition for condition in field.get("acts_when", ()))
