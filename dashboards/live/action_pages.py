"""The routes of the actions that change a study."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from dashboards.analysis.overview import Overview
from dashboards.changes import ENDED_BEFORE
from dashboards.door.confirmations import csrf_token, read_confirmed_form
from dashboards.door.visitors import Role, shown_visitor
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
            request,
            overview,
            action=actions.asked(action, overview, request.query_params),
            is_writer=request.state.role == Role.WRITER,
            csrf=csrf_token(request),
        )

    async def act(self, request: Request) -> Response:
        """Do an action of a confirmed form, and say what was done; the log says who did it."""
        name, action = request.path_params["name"], request.path_params["action"]
        fields = await read_confirmed_form(request)
        watch = self._studies.of(name)
        overview = await self._source.run(watch.newest)
        back = actions.back(overview, fields)
        try:
            sentence = await self._source.write(actions.done, action, name, fields)
        except (StudyError, StorageError) as error:
            return await self._page(request, overview, fault=str(error), back=back, status=400)
        actions.note(request, name, sentence)
        await self._source.run(watch.again)  # the head shows what the action did
        overview = await self._source.run(watch.newest)
        is_new = not sentence.endswith(ENDED_BEFORE)
        return await self._page(request, overview, sentence=sentence, back=back, is_new=is_new)

    async def _page(
        self, request: Request, overview: Overview, status: int = 200, **given: Any
    ) -> HTMLResponse:
        said = {"sentence": "", "fault": "", "action": None, **shown_visitor(request), **given}
        page = partial(render.study_page, "action.html", overview, "/actions")
        return HTMLResponse(await self._source.run(page, **said), status)
