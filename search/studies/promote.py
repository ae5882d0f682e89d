"""Promotion: the best third of a study's trials, trained again under other settings.

A screening on a share of the data, in few epochs, finds the configurations that deserve all of the
data. They make a study of their own, so that no value of a screening is compared with theirs.
"""

import math
from dataclasses import replace

from search.database import has_store, open_store
from search.settings import Settings
from spaces.errors import StudyError
from spaces.space import TrialConfig
from spaces.stored import StoredStudy, from_json
from spaces.study import Study
from storage.rows import WELL, TrialRow
from storage.store import Store

ONE_IN = 3


def promoted(
    declared: StoredStudy, source: str, trials: int | None, settings: Settings
) -> StoredStudy:
    """Return the study with the best third of another study's trials in its queue, best first.

    A study that is stored already keeps its queue.

    source: the name of the stored study whose trials are promoted.
    trials: the total that the command line asks for; None for one per promoted configuration.
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
            queue = from_json(known.definition).study.enqueue
        else:
            queue = _best(store, source, study)
    return StoredStudy(
        # A guarantee would ask for trials beyond these.
        replace(study, enqueue=queue, trials=trials or len(queue), at_least={}),
        replace(declared.found, promoted_from=source),
    )


def _unknown(source: str) -> StudyError:
    return StudyError(f"there is no stored study {source!r} to promote from", "see `search status`")


def _best(store: Store, source: str, study: Study) -> tuple[TrialConfig, ...]:
    outcomes = store.look(source).outcomes
    third = math.ceil(sum(outcomes.get(outcome, 0) for outcome in WELL) / ONE_IN)
    finished = store.best_trials(source, third)
    if not finished:
        raise StudyError(f"{source} has no finished trial", f"run it first: --study {source}")
    configs = [_config(trial, source, study) for trial in finished]
    return tuple(config for at, config in enumerate(configs) if config not in configs[:at])


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
