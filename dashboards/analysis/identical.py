"""Pairs of trials that differ in a key and still start identically: probably nothing reads it."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.analysis.snapshot import Snapshot
from objectives import catalog
from spaces.params import Value
from spaces.rules.conditions import can_act
from spaces.space import TrialConfig
from storage.reader import StoreReader

Metrics = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class IdenticalTrials:
    """Two trials whose relevant hyperparameters differ in one key but whose metric is identical.

    The key is probably ignored.
    """

    key: str
    values: tuple[Value, Value]
    trials: tuple[int, int]
    metric: str


def read_identical_trials(store: StoreReader, snapshot: Snapshot) -> list[IdenticalTrials]:
    """Find the identical trials of a study, one pair per key."""
    study, known = snapshot.study, catalog.describe(snapshot.stored.objective)
    fields, measures = known.fields or {}, _measures(known.metrics)
    firsts: dict[int, dict[str, float]] = {}
    for metric, keys in measures.items():
        relevant = {*keys, *_conditions(fields[key] for key in keys if key in fields)}
        for number, value in store.equal_firsts(study.name, metric, relevant).items():
            firsts.setdefault(number, {})[metric] = value
    configs = {
        trial.number: snapshot.stored.config(trial.params)
        for trial in store.trials_of(study.name, firsts)
    }
    return find_identical_trials(configs, firsts, fields, measures)


def find_identical_trials(
    configs: Mapping[int, TrialConfig],
    firsts: Mapping[int, Metrics],
    fields: Mapping[str, Mapping[str, Any]],
    measures: Mapping[str, Sequence[str]],
) -> list[IdenticalTrials]:
    """Find, for each hyperparameter that was not read, the earliest pair of trials that shows it.

    Two trials are compared where they agree in all other keys that change the metric. These keys
    are left out of the comparison: a key that cannot act in a trial (`acts_when`), and a key that
    acts only under a condition on the suspected one. A key that acts later than the metric is
    measured, such as `epochs`, is never suspected.

    An equal metric proves only that the two trials did the same up to that point. A key that was
    read without effect is therefore reported too, such as a weight per class where all classes are
    equally frequent.

    configs: whole configurations, by trial number.
    firsts: the metrics of each trial's first epoch, by trial number.
    fields: the hyperparameters of the objective, as `catalog.describe` has them.
    measures: metric -> the keys that change it. The trials' seeds must not change it.
    """
    found: dict[str, IdenticalTrials] = {}
    for metric, keys in measures.items():
        known = {key: fields[key] for key in keys if key in fields}
        for pair in _pairs(configs, firsts, known, metric):
            found.setdefault(pair.key, pair)
    return list(found.values())


def _measures(metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, Sequence[str]]:
    """Return the metrics that depend only on the study's seed and the configuration."""
    return {
        name: known["changed_by"] for name, known in metrics.items() if name.startswith("first_")
    }


def _pairs(
    configs: Mapping[int, TrialConfig],
    firsts: Mapping[int, Metrics],
    fields: Mapping[str, Mapping[str, Any]],
    metric: str,
) -> Iterator[IdenticalTrials]:
    """Yield the pairs of one metric; `fields` are those of the keys that change it."""
    seen: dict[tuple[Any, ...], int] = {}
    for number in sorted(firsts):
        config, value = configs[number], firsts[number].get(metric, math.nan)
        if not math.isfinite(value):
            continue
        acting = {key: config[key] for key, field in fields.items() if can_act(field, config)}
        for key in acting:
            others = tuple(
                item
                for item in acting.items()
                if item[0] != key and not _acts_only_with(fields[item[0]], key)
            )
            earlier = seen.setdefault((key, value, others), number)
            if configs[earlier][key] != config[key]:
                values = (configs[earlier][key], config[key])
                trials = (earlier, number)
                yield IdenticalTrials(key=key, values=values, trials=trials, metric=metric)


def _conditions(fields: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the keys on which it depends whether these hyperparameters act."""
    return {
        key for field in fields for condition in field.get("acts_when", ()) for key in condition
    }


def _acts_only_with(field: Mapping[str, Any], key: str) -> bool:
    """Say whether a hyperparameter acts only under a condition on `key`."""
    return any(key in condition for condition in field.get("acts_when", ()))
