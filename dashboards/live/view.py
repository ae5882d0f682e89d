"""The choices of one reader of a page, as they stand in its address."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self
from urllib.parse import urlencode

NAME = re.compile(r"[A-Za-z0-9_]{1,64}")
ALIGNED = ("share", "epoch", "minutes")
WHICH = ("best", "running", "pruned", "failed", "all")
EVENTS = ("notable", "all")


@dataclass(frozen=True, kw_only=True)
class View:
    """The choices of one reader; what an address leaves out, or says wrong, is the default.

    metric: of the learning curves; "" is the study's own.
    align: what stands under what in the curves: equal shares of the schedule, epochs or minutes.
    which: the trials in the table.
    events: the notable ones, or all.
    t: a trial whose curve is drawn beside the others.
    """

    metric: str = ""
    align: str = ALIGNED[0]
    which: str = WHICH[0]
    events: str = EVENTS[0]
    t: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Read the choices of an address."""
        metric, trial = query.get("metric", ""), query.get("t", "")
        return cls(
            metric=metric if NAME.fullmatch(metric) else "",
            align=_one_of(ALIGNED, query.get("align")),
            which=_one_of(WHICH, query.get("which")),
            events=_one_of(EVENTS, query.get("events")),
            t=int(trial) if trial.isascii() and trial.isdigit() and len(trial) < 8 else None,
        )

    def link(self, **changes: Any) -> str:
        """Return the address of this page with other choices; defaults are left out."""
        chosen, default = asdict(replace(self, **changes)), asdict(View())
        return "?" + urlencode({k: v for k, v in chosen.items() if v != default[k]})


def _one_of(allowed: tuple[str, ...], asked: str | None) -> str:
    return asked if asked in allowed else allowed[0]
