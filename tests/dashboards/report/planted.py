"""A study of many trials without the time to train them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from optuna.distributions import distribution_to_json
from optuna.trial import FixedTrial
from sqlalchemy import text

from search.samplers.beliefs import beliefs_of
from search.samplers.searched import Searched
from search.samplers.unlearned import FromPrior
from spaces.found import Found
from spaces.params import Choice, Float, Int, Toggle, Value
from spaces.priors import Prior
from spaces.stored import StoredStudy, fingerprint, to_json
from spaces.study import Study
from storage.store import Store
from storage.transaction import transaction
from tests.storage.samples import new_study, new_worker

STUDY = Study(
    name="planted",
    about="Which learning rate?",
    objective="image_classifier",
    metric="val_loss",
    direction="minimize",
    trials=1000,
    fixed={"image_size": 32},
    space=[
        Float("learning_rate", 1e-5, 1e-2, log=True, prior=Prior(1e-4, "medium")),
        Choice("backbone", {"resnet18": 3, "resnet34": 1}),
        Choice("batch_size", (16, 32, 64)),
        Int("epochs", 3, 8),
        Toggle("ldam"),
        Float("ldam_max_margin", 0.1, 0.8, when={"ldam": True}),
        Float("weight_decay", 1e-6, 1e-2, log=True),
        Float("dropout", 0.0, 0.5),
    ],
)
FOUND = Found()
OWN = {
    "kind": "script",
    "reference": "python train.py",
    "fields": None,
    "deterministic": False,
    "files": {"train.py": "1" * 64},
    "commit": "0123abcd" * 5,
    "is_clean": True,
}
MACHINE = {
    "device_class": "cuda: NVIDIA H200",
    "versions": {"python": "3.12.1", "search": "0.0.9", "torch": "2.15.0", "optuna": "5.0.0"},
    "commit": "0123abcd",
}
MOST_DRAWN = 1000  # .7 ms each; those after them differ in their dropout alone
ENDS = ("finished", "finished", "finished", "pruned", "code_error")
STATES = {"finished": "COMPLETE", "pruned": "PRUNED", "code_error": "FAIL"}

TRIALS = """
INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete)
SELECT number, :study, CAST(state AS trialstate), now() - interval '1 hour', now()
  FROM json_to_recordset(:rows) AS r(number int, state text);
INSERT INTO trial_values (trial_id, objective, value, value_type)
SELECT t.trial_id, 0, r.value, 'FINITE'
  FROM json_to_recordset(:rows) AS r(number int, value float8)
  JOIN trials t ON t.number = r.number AND t.study_id = :study WHERE r.value IS NOT NULL;
INSERT INTO search_service.attempts
       (trial_id, attempt, worker_id, lease_seconds, started_at, ended_at, reason, detail,
        ends_trial)
SELECT t.trial_id, 1, 'ada', 30, now() - interval '1 hour', now(), r.reason, r.detail, true
  FROM json_to_recordset(:rows) AS r(number int, reason text, detail text)
  JOIN trials t ON t.number = r.number AND t.study_id = :study;
INSERT INTO search_service.epochs (trial_id, epoch, attempt, value, metrics, seconds, images)
SELECT t.trial_id, e.epoch, 1, r.loss + 1.0 / e.epoch,
       json_build_object('val_loss', r.loss + 1.0 / e.epoch, 'train_loss', 1.0 / e.epoch,
                         'val_top1', .9, 'val_balanced_accuracy', .8), 60, 1000
  FROM json_to_recordset(:rows) AS r(number int, loss float8)
  JOIN trials t ON t.number = r.number AND t.study_id = :study, generate_series(1, 3) e(epoch)"""
PARAMS = text("""INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
SELECT t.trial_id, r.name, r.value, r.distribution
  FROM json_to_recordset(:rows) AS r(number int, name text, value float8, distribution text)
  JOIN trials t ON t.number = r.number AND t.study_id = :study""")


def plant(
    store: Store,
    study: Study = STUDY,
    found: Found = FOUND,
    count: int = 0,
    detail: str = "no such thing",
    **more: Any,
) -> None:
    """Store a study with so many ended trials; three of five finished, one failed.

    detail: why.
    more: fields of the stored study, such as its manifest.
    """
    stored = StoredStudy(study, found)
    given = {"fingerprint": fingerprint(stored), "trials": study.trials, **more}
    new = new_study(study.name, definition=to_json(stored), direction=study.direction, **given)
    study_id = store.create(new).study_id
    if not count:
        return
    store.register_worker(study.name, replace(new_worker("ada"), machine=MACHINE))
    random = Random(7)
    searched = Searched.of(study.space)
    beliefs = beliefs_of(study.space, searched.distributions)
    drawn_ones = range(min(count, MOST_DRAWN))
    configs = [FromPrior(searched, beliefs, number).draw({}) for number in drawn_ones]
    for number in range(MOST_DRAWN, count):
        configs.append({**configs[number % MOST_DRAWN], "dropout": number / count / 2})
    rows = json.dumps(
        [_row(number, config, random, detail) for number, config in enumerate(configs)]
    )
    drawn = [
        each for number, config in enumerate(configs) for each in _drawn(study, number, config)
    ]
    with transaction(store.engine) as connection:
        for statement in TRIALS.split(";\n"):
            connection.execute(text(statement), {"study": study_id, "rows": rows})
        connection.execute(PARAMS, {"study": study_id, "rows": json.dumps(drawn)})


def _row(
    number: int, config: Mapping[str, Value], random: Random, detail: str
) -> Mapping[str, Any]:
    loss = abs(float(str(config.get("learning_rate", 0))) - 1e-3) * 100 + random.random() / 5
    reason = ENDS[number % len(ENDS)]
    return {
        "number": number,
        "loss": loss,
        "reason": reason,
        "detail": f"ValueError: {detail}" if reason == "code_error" else None,
        "value": loss if reason == "finished" else None,
        "state": STATES[reason],
    }


def _drawn(study: Study, number: int, config: Mapping[str, Value]) -> list[Mapping[str, Any]]:
    asked = FixedTrial(dict(config))
    for name in config:
        param = study.space.get(name)
        assert param is not None
        param.suggest(asked)
    return [
        {
            "number": number,
            "name": name,
            "value": each.to_internal_repr(config[name]),
            "distribution": distribution_to_json(each),
        }
        for name, each in asked.distributions.items()
    ]
