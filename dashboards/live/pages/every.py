"""The pages of a study beside its overview, by their paths."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request

from dashboards.analysis.overview import Overview
from dashboards.live.pages.compare import compare_page
from dashboards.live.pages.data import data_page
from dashboards.live.pages.logs import logs_page
from dashboards.live.pages.timeline import timeline_page
from dashboards.live.pages.trial import trial_page
from dashboards.live.pages.trials import trials_page
from dashboards.live.source import Source

Build = Callable[[Source, Overview, Request], Any]
# Below /s/STUDY; each has a template of that name, and a .json.
PAGES: Mapping[str, Build] = {
    "trials": trials_page,
    "t/{number}": trial_page,
    "compare": compare_page,
    "timeline": timeline_page,
    "data": data_page,
    "logs": logs_page,
}
