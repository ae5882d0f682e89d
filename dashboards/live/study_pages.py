"""The routes of the pages of a study."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from dashboards.analysis.fields import overview_fields
from dashboards.analysis.json_text import joined, json_of, object_text
from dashboards.analysis.overview import Overview
from dashboards.analysis.trials.spreadsheet import trials_csv
from dashboards.door.visitors import shown_visitor
from dashboards.live import render
from dashboards.live.failures import explained
from dashboards.live.pages.every import PAGES, Build
from dashboards.live.pages.trials import MOST_LETTERS, chosen_trials
from dashboards.live.source import Source
from dashboards.live.stream import stream
from dashboards.live.study_watch import StudyWatch, trial_watch
from dashboards.live.view import View
from dashboards.live.watch import Watches


class StudyPages:
    """The overview of a study with its stream, the pages beside it, and its table."""

    def __init__(self, source: Source, studies: Watches[StudyWatch]) -> None:
        self._source, self._studies = source, studies
        self._trials = Watches(trial_watch(source, studies))

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes, the more special ones first."""
        return [
            Route("/s/{name}.json", explained(self.as_json)),
            Route("/s/{name}/events", explained(self.events)),
            Route("/s/{name}/t/{number}/events", explained(self.trial_events)),
            Route("/s/{name}/panels", explained(self.panels)),
            *(each for path, build in PAGES.items() for each in self._pages_of(path, build)),
            Route("/s/{name}/trials.csv", explained(self.csv)),
            Route("/s/{name}", explained(self.overview)),
        ]

    async def overview(self, request: Request) -> Response:
        """Show the overview."""
        watch, view = self._watch(request), View.of(request.query_params)
        overview = await self._source.run(watch.with_curve, view.t)
        changes = await self._source.run(watch.changes, view)
        page = partial(render.study_page, "overview.html", overview, "")
        given = {"panels": changes.panels, "version": changes.version, **shown_visitor(request)}
        return HTMLResponse(await self._source.run(page, **given))

    async def panels(self, request: Request) -> Response:
        """Return every panel of a view as JSON, for the script."""
        watch, view = self._watch(request), View.of(request.query_params)
        await self._source.run(watch.with_curve, view.t)
        changes = await self._source.run(watch.changes, view)
        return Response(changes.as_json, media_type="application/json")

    async def events(self, request: Request) -> Response:
        """Send what changes, as it changes."""
        watch = self._watch(request)
        await self._source.run(watch.newest)  # an unknown study is an answer, not a stream
        return stream(request, watch, self._source)

    async def trial_events(self, request: Request) -> Response:
        """Send what changes on a trial's page, as it changes."""
        watch = self._trials.of("{name}/{number}".format(**request.path_params))
        await self._source.run(watch.newest)
        return stream(request, watch, self._source)

    async def as_json(self, request: Request) -> Response:
        """Return the overview for programs."""
        overview = await self._source.run(self._watch(request).newest)
        text = "".join(joined(object_text(overview_fields(overview))))
        return Response(text, media_type="application/json")

    async def csv(self, request: Request) -> Response:
        """Send a table of every trial, or of those that fit the words of a filter."""
        name = request.path_params["name"]
        chosen = None
        if words := request.query_params.get("q", "")[:MOST_LETTERS]:
            overview = await self._source.run(self._watch(request).newest)
            chosen = await self._source.run(chosen_trials, self._source, overview.study, words)
        lines = await self._source.run(trials_csv, self._source.store, name, chosen)
        # Not in the pages' threads: a slow reader takes as long as it likes.
        shown = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=shown)

    def _watch(self, request: Request) -> StudyWatch:
        return self._studies.of(request.path_params["name"])

    def _pages_of(self, path: str, build: Build) -> list[BaseRoute]:
        """Build the routes of a page: for people, and as JSON for programs."""
        template = f"{build.__name__.removesuffix('_page')}.html"  # trial_page fills in trial.html

        async def read(request: Request) -> tuple[Overview, Any]:
            overview = await self._source.run(self._watch(request).newest)
            return overview, await self._source.run(build, self._source, overview, request)

        async def show(request: Request) -> Response:
            overview, content = await read(request)
            page = partial(render.study_page, template, overview, f"/{path}")
            return HTMLResponse(
                await self._source.run(page, page=content, **shown_visitor(request))
            )

        async def tell(request: Request) -> Response:
            _, content = await read(request)
            return Response(json_of(content), media_type="application/json")

        address = f"/s/{{name}}/{path}"
        return [Route(f"{address}.json", explained(tell)), Route(address, explained(show))]
