"""The routes of the actions that change a study."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from dashboards.analysis.overview import Overview
from dashboards.door.confirmations import csrf_token, read_confirmed_form
from dashboards.door.visitors import Role
from dashboards.live import actions, render
from dashboards.live.failures import explained
from dashboards.live.source import Source
from dashboards.live.study_watch import StudyWatch
from dashboards.live.watch import Watches
from spaces.errors import StudyError
from storage.errors import StorageError

ADDRESS = "/s/{name}/actions/{action}"


class ActionPages:
    """An action before it is done, and after."""

    def __init__(self, source: Source, studies: Watches[StudyWatch]) -> None:
        self._source, self._studies = source, studies

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes."""
        return [
            Route(ADDRESS, explained(self.ask)),
            Route(ADDRESS, explained(self.act), methods=["POST"]),
        ]

    async def ask(self, request: Request) -> Response:
        """Name what an action will do, with the button for writers and the command for all."""
        name, action = request.path_params["name"], request.path_params["action"]
        overview = await self._source.run(self._studies.of(name).newest)
        return await self._page(
            overview,
            action=actions.asked(action, overview, request.query_params),
            is_writer=request.state.role == Role.WRITER,
            csrf=csrf_token(request),
        )

    async def act(self, request: Request) -> Response:
        """Do an action of a confirmed form, and say what was done; the log says who did it."""
        name, action = request.path_params["name"], request.path_params["action"]
        fields = await read_confirmed_form(request)
        overview = await self._source.run(self._studies.of(name).newest)
        try:
            sentence = await self._source.write(actions.done, action, name, fields)
        except (StudyError, StorageError) as error:
            return await self._page(overview, fault=str(error), status=400)
        actions.note(request, name, sentence)
        return await self._page(overview, sentence=sentence)

    async def _page(self, overview: Overview, status: int = 200, **given: Any) -> HTMLResponse:
        said = {"sentence": "", "fault": "", "action": None, **given}
        page = partial(render.study_page, "action.html", overview, "/actions")
        return HTMLResponse(await self._source.run(page, **said), status)
