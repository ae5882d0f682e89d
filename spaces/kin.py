"""Kin: the trials whose curves have the same shape, so that one can be compared with another.

A curve that rises late, such as LDAM's, is no worse for being behind half-way: where all trials
were compared with all, such a trial took 1.0 to 4.0 times as many epochs to find as without any
pruning; among its kin .66 (simulated, docs/decisions.md).
"""

from spaces.params import Value
from spaces.space import TrialConfig
from spaces.study import Study

# Each option is a kin of its own.
OPTIONS = ("balancing", "ldam", "weighted_sampler", "schedule")
# Phases of training: 0 is none, and any other number is one kin.
PHASES = ("frozen_epochs", "epochs_per_stage")


def kin_names(study: Study) -> list[str]:
    """Return the searched hyperparameters by which the study's trials fall into kin."""
    return [name for name in (*OPTIONS, *PHASES) if name in study.space.names]


def kin_of(study: Study, config: TrialConfig) -> str:
    """Name the kin of a trial, as `balancing=ldam, frozen_epochs>0`; "" where all are kin.

    config: its whole configuration, so that one that draws no value has the settled one.
    """
    return ", ".join(_trait(name, config.get(name)) for name in kin_names(study))


def _trait(name: str, value: Value) -> str:
    if name in PHASES:
        return f"{name}>0" if value else f"{name}=0"
    return f"{name}={str(value).lower() if isinstance(value, bool) else value}"
