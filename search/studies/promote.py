"""Promotion: the best third of a study's trials, trained again under other settings.

A screening on a share of the data, in few epochs, finds the configurations that deserve all of the
data. They make a study of their own, so that no value of a screening is compared with theirs.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

from dashboards.analysis.numbers import counted
from search.database import has_store, open_store
from search.settings import Settings
from spaces.errors import StudyError
from spaces.params import Value
from spaces.space import TrialConfig
from spaces.stored import StoredStudy, from_json
from spaces.study import Study
from storage.rows import WELL, TrialRow
from storage.store import Store

ONE_IN = 3


def promoted(
    declared: StoredStudy, source: str, trials: int | None, settings: Settings
) -> StoredStudy:
    """Return the study with the best of another study's trials in its queue, best first.

    A study that is stored already keeps its queue.

    source: the name of the stored study whose trials are promoted.
    trials: how many the command line asks for; None for the best third.
    Raises StudyError where no trial can be promoted.
    """
    study = declared.study
    if study.name == source:
        raise StudyError(
            f"the promoted trials of {source} need a study of their own",
            f"add --as {source}-full",
        )
    if not has_store(settings):
        raise _unknown(source)
    with open_store(settings) as store:
        stored = {row.name: row for row in store.studies()}
        if source not in stored:
            raise _unknown(source)
        if known := stored.get(study.name):
            before = from_json(known.definition)
            best, numbers = before.study.enqueue, before.found.promoted_trials
        else:
            best, numbers = _best(store, source, study, trials)
    return StoredStudy(
        replace(study, enqueue=best, trials=trials or len(best)),
        replace(declared.found, promoted_from=source, promoted_trials=numbers),
    )


def _unknown(source: str) -> StudyError:
    return StudyError(f"there is no stored study {source!r} to promote from", "see `search status`")


def _best(
    store: Store, source: str, study: Study, asked: int | None
) -> tuple[tuple[Mapping[str, Value], ...], tuple[int, ...]]:
    """Return the best configurations that differ, and the numbers of their trials."""
    outcomes = store.look(source).outcomes
    third = math.ceil(sum(outcomes.get(outcome, 0) for outcome in WELL) / ONE_IN)
    finished = store.best_trials(source, asked or third)
    if not finished:
        raise StudyError(f"{source} has no finished trial", f"run it first: --study {source}")
    best: dict[int, TrialConfig] = {}
    for trial in finished:
        config = _config(trial, source, study)
        if config not in best.values():
            best[trial.number] = config
    if asked and len(best) < asked:
        raise StudyError(
            f"{source} has {counted(len(best), 'finished configuration')} to promote, {asked} are"
            " asked for",
            f"give --trials {len(best)} or less, or leave it out for the best third",
        )
    return tuple(best.values()), tuple(best)


def _config(trial: TrialRow, source: str, study: Study) -> TrialConfig:
    """Return the values of a trial that the study searches; StudyError for one that it cannot."""
    config = {name: value for name, value in trial.params.items() if name not in study.fixed}
    for name, value in config.items():
        param = study.space.get(name)
        if param is None or not param.takes(value):
            raise StudyError(
                f"trial {trial.number} of {source} has {name}={value!r}, which {study.name} does"
                " not search",
                "declare the same space, or fix it with --set",
            )
    if not study.space.is_whole(config):
        raise StudyError(
            f"trial {trial.number} of {source} has no value for every parameter that {study.name}"
            " searches",
            "declare the same space, or fix the others with --set",
        )
    return config
