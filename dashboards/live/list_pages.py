"""The routes of the list of studies."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from dashboards.analysis.json_text import joined, json_of, list_text
from dashboards.analysis.listing import StudiesReader, StudyLine
from dashboards.door.visitors import shown_visitor
from dashboards.live import render
from dashboards.live.failures import explained
from dashboards.live.source import Source
from dashboards.live.stream import stream
from dashboards.live.view import View
from dashboards.live.watch import Watch, Watches

NAME = "every study"  # of the one watch


class ListPages:
    """The list of studies: as a page, as a stream and for programs."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._watches: Watches[Watch[list[StudyLine]]] = Watches(
            lambda name: Watch(
                name, StudiesReader(source.store, has_hours=True).read, render.studies
            )
        )

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes."""
        return [
            Route("/", explained(self.show)),
            Route("/studies.json", explained(self.as_json)),
            Route("/studies/events", explained(self.events)),
        ]

    async def show(self, request: Request) -> Response:
        """Show every study."""
        changes = await self._source.run(self._watches.of(NAME).changes, View())
        given = {"panels": changes.panels, "version": changes.version, **shown_visitor(request)}
        return HTMLResponse(render.page("studies.html", **given))

    async def events(self, request: Request) -> Response:
        """Send what changes in the list, as it changes."""
        return stream(request, self._watches.of(NAME), self._source)

    async def as_json(self, request: Request) -> Response:
        """Return the list for programs."""
        lines = await self._source.run(self._watches.of(NAME).newest)
        text = "".join(joined(list_text([json_of(line)] for line in lines)))
        return Response(text, media_type="application/json")
