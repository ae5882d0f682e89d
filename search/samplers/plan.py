"""The way in which a trial is drawn: from the prior, uniformly, or by the model, and why.

Until four trials have ended, even numbers are drawn from the priors and odd ones uniformly, whole
configurations both. Then a trial is drawn with the priors with the probability of their record
(search/samplers/record.py), at least .05: by the model, which is told the priors that are trusted
(search/samplers/trust.py). The others are drawn without: uniformly until six such trials have
ended, then by the model alone. Where none is trusted, and after 300 trials, the model alone draws.

Without any prior, draws are uniform until four trials have ended, then the model alone draws.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from search.samplers.beliefs import Beliefs
from search.samplers.knowledge import know
from search.samplers.model import DrawRequest, Model, ModelClass
from search.samplers.observed import Observed
from search.samplers.ranks import count_ended
from search.samplers.searched import Searched
from search.samplers.unlearned import FromPrior, Uniform
from search.seeds import derive_seed
from spaces.sampling import LAST_WITH_PRIOR, LEAST_ENDED
from storage.rows import Way

LEAST_WITH_PRIOR = 0.05  # the share of trials that keep a bad record open to change
LEAST_WITHOUT = 6
BONUS = 10.0  # the weight of a belief beside a model's own judgement, in trials that have ended


@dataclass(frozen=True, kw_only=True)
class Setting:
    """All that the draw of trial `number` depends on.

    seed: of the study.
    model: None for draws at random.
    queued: the configurations with which the study began its queue.
    """

    searched: Searched
    beliefs: Beliefs
    model: ModelClass | None
    observed: Observed
    number: int
    seed: int
    queued: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Plan:
    """The way of a draw.

    source: makes from a seed what draws the configuration.
    why: as `draws.why` has it.
    """

    way: Way
    source: Callable[[int], Model]
    why: Mapping[str, Any] = field(default_factory=dict)


def plan(setting: Setting) -> Plan:
    """Decide how a trial is drawn, from the study, its number and the other trials alone."""
    over = count_ended(setting.observed)
    if setting.model is None:
        return _uniform(setting, {})
    if over < LEAST_ENDED:
        is_turn_of_prior = setting.beliefs and setting.number % 2 == 0
        return _from_prior(setting) if is_turn_of_prior else _uniform(setting, {})
    if not setting.beliefs or over > LAST_WITH_PRIOR:
        return _by_model(setting, {})
    return _by_knowledge(setting, over)


def _by_knowledge(setting: Setting, over: int) -> Plan:
    known = know(setting.observed, setting.searched, setting.beliefs)
    why: dict[str, Any] = {
        "record": round(known.record, 4),
        "compared": {"with": known.drawn_with, "without": known.drawn_without},
        "trust": {name: round(right, 4) for name, right in known.trust.items()},
    }
    if known.believed:
        why["believed"] = list(known.believed)
    drawn = Random(derive_seed(setting.seed, setting.number, "policy")).random()
    if drawn < max(LEAST_WITH_PRIOR, known.record):
        believed = {name: setting.beliefs[name] for name in known.believed}
        return _by_model(setting, why, believed, BONUS / over)
    if known.drawn_without < LEAST_WITHOUT:
        return _uniform(setting, why)
    return _by_model(setting, why)


def _uniform(setting: Setting, why: Mapping[str, Any]) -> Plan:
    return Plan(Way.UNIFORM, partial(Uniform, setting.searched), why)


def _from_prior(setting: Setting) -> Plan:
    return Plan(Way.PRIOR, partial(FromPrior, setting.searched, setting.beliefs))


def _by_model(
    setting: Setting, why: Mapping[str, Any], believed: Beliefs | None = None, weight: float = 0.0
) -> Plan:
    model = setting.model
    assert model is not None

    def source(seed: int) -> Model:
        return model(
            DrawRequest(
                observed=setting.observed,
                searched=setting.searched,
                number=setting.number,
                seed=seed,
                beliefs=believed or {},
                weight=weight,
            )
        )

    named = {"model": model.name, **why}
    return Plan(Way.MODEL_WITH_PRIOR if believed else Way.MODEL, source, named)
