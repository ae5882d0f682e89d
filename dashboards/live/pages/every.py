"""The pages of a study beside its overview, by their paths."""

from collections.abc import Mapping
from typing import Any, Protocol

from starlette.requests import Request

from dashboards.analysis.overview import Overview
from dashboards.live.pages.compare import compare_page
from dashboards.live.pages.data import data_page
from dashboards.live.pages.logs import logs_page
from dashboards.live.pages.timeline import timeline_page
from dashboards.live.pages.trial import trial_page
from dashboards.live.pages.trials import trials_page
from dashboards.live.source import Source


class Build(Protocol):
    """A function that reads what a page shows."""

    __name__: str

    def __call__(self, source: Source, overview: Overview, request: Request, /) -> Any:
        """Return the content of the page, which is its JSON too."""


# Below /s/STUDY; each has a template of its own name, and a .json.
PAGES: Mapping[str, Build] = {
    "trials": trials_page,
    "t/{number}": trial_page,
    "compare": compare_page,
    "timeline": timeline_page,
    "data": data_page,
    "logs": logs_page,
}
