"""The page of a study's attempts, each in the lane of its worker."""

from starlette.requests import Request

from dashboards.analysis.overview import Overview
from dashboards.live.panels.attempts import Attempts, timeline
from dashboards.live.source import Source


def timeline_page(source: Source, overview: Overview, request: Request) -> Attempts:
    """Build the page, with a lane for every worker."""
    return timeline(overview)
