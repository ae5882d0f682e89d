"""The facts about a study that its author did not write."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spaces.converted import Converted
from spaces.params import Value


@dataclass(frozen=True, kw_only=True)
class Found:
    """The facts about a study that its author did not write, settled when it was created.

    defaults: the objective's defaults at that time, so that an upgrade changes nothing.
    pins: the values that `--set` fixed; they are among the study's fixed ones as well.
    too_large: backbones that are never drawn, because not one image of them fitted into the memory
        of the device that began the study.
    weights: a record of each file of weights that a network starts from, by network and name.
    skipped_checks: rules of the data whose errors do not stop this study.
    is_practice: whether this is a practice form, which runs on generated data.
    promoted_from: the study whose best trials are trained again here, and no others; "" for none.
    promoted_trials: their numbers there, in the order of the queue.
    own: the description of an objective of the author's own, as `objectives.own` made it: its
        hyperparameters, its files with their digests. Its `accepted` is the code before each change
        that was accepted. {} for an objective that comes with the package.
    versions: of Python and the packages that change the study's numbers, where it was created.
    commit: of the checkout of search there, where it was one without changes; else "".
    accepted_versions: each acceptance of other versions: `at`, `host`, the `versions` there and
        those of the creation, `instead_of`.
    """

    defaults: Mapping[str, Value] = field(default_factory=dict)
    pins: Mapping[str, Value] = field(default_factory=dict)
    too_large: Converted[Iterable[Value], tuple[Value, ...]] = Converted(tuple, default=())
    weights: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    skipped_checks: Converted[Iterable[str], tuple[str, ...]] = Converted(tuple, default=())
    is_practice: bool = False
    promoted_from: str = ""
    promoted_trials: Converted[Iterable[int], tuple[int, ...]] = Converted(tuple, default=())
    own: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""
    accepted_versions: Converted[Iterable[Mapping[str, Any]], tuple[Mapping[str, Any], ...]] = (
        Converted(tuple, default=())
    )
