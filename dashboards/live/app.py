"""The routes of our own pages."""

from typing import Any
from weakref import WeakValueDictionary

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from dashboards.analysis.fields import overview_fields
from dashboards.analysis.json_text import joined, json_of, list_text, object_text
from dashboards.analysis.listing import StudiesReader, StudyLine
from dashboards.analysis.overview import Overview, OverviewReader
from dashboards.door.confirmations import csrf_token, read_confirmed_form
from dashboards.door.visitors import Role
from dashboards.live import actions, render
from dashboards.live.csv_text import trials_csv
from dashboards.live.failures import explained
from dashboards.live.pages.every import PAGES, Build
from dashboards.live.pages.trial import TrialPage, TrialPageReader
from dashboards.live.source import Source
from dashboards.live.stream import as_json, stream
from dashboards.live.view import View
from dashboards.live.watch import Watch, Watches
from dashboards.optuna.opening import optuna_seconds
from spaces.errors import StudyError
from storage.errors import StorageError

LIST = "every study"
FILES = {"live.css": "text/css", "live.js": "text/javascript", "icon.svg": "image/svg+xml"}


class LivePages:
    """The pages of the stored studies; the routes that call them are `routes`."""

    def __init__(self, source: Source) -> None:
        self._source, self._store = source, source.store
        self._watches = Watches(self._watch)
        self._lists = Watches(self._watch_list)
        self._trials = Watches(self._watch_trial)
        # A reader lives as long as its watch: names that nobody looks at any more are forgotten.
        self._readers = WeakValueDictionary[str, OverviewReader]()

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes, the more special ones first."""
        return [
            Route("/live/{file}", _static),
            Route("/", explained(self.studies)),
            Route("/studies.json", explained(self.studies_json)),
            Route("/studies/events", explained(self.studies_events)),
            Route("/s/{name}.json", explained(self.as_json)),
            Route("/s/{name}/events", explained(self.events)),
            Route("/s/{name}/t/{number}/events", explained(self.trial_events)),
            Route("/s/{name}/panels", explained(self.panels)),
            *(each for path, build in PAGES.items() for each in self._pages_of(path, build)),
            Route("/s/{name}/trials.csv", explained(self.csv)),
            Route("/s/{name}/actions/{action}", explained(self.ask)),
            Route("/s/{name}/actions/{action}", explained(self.act), methods=["POST"]),
            Route("/s/{name}", explained(self.overview)),
        ]

    async def studies(self, request: Request) -> Response:
        """Show every study."""
        changes = await self._source.run(self._lists.of(LIST).changes, View())
        given = {"panels": changes.panels, "version": changes.version}
        return HTMLResponse(render.page("studies.html", **given))

    async def studies_events(self, request: Request) -> Response:
        """Send what changes in the list, as it changes."""
        return stream(request, self._lists.of(LIST), self._source)

    async def studies_json(self, request: Request) -> Response:
        """Return the list for programs."""
        lines = await self._source.run(self._lists.of(LIST).newest)
        text = "".join(joined(list_text([json_of(line)] for line in lines)))
        return Response(text, media_type="application/json")

    async def overview(self, request: Request) -> Response:
        """Show one study."""
        name, view = request.path_params["name"], View.of(request.query_params)
        watch = self._watches.of(name)
        overview = await self._source.run(self._with_asked, name, view)
        changes = await self._source.run(watch.changes, view)
        given = {"tab": "", "panels": changes.panels, "version": changes.version}
        return HTMLResponse(render.page("overview.html", **_of_study(overview), **given))

    async def panels(self, request: Request) -> Response:
        """Return every panel of a view as JSON, for the script."""
        name, view = request.path_params["name"], View.of(request.query_params)
        await self._source.run(self._with_asked, name, view)
        changes = await self._source.run(self._watches.of(name).changes, view)
        return Response(as_json(changes), media_type="application/json")

    async def events(self, request: Request) -> Response:
        """Send what changes, as it changes."""
        watch = self._watches.of(request.path_params["name"])
        await self._source.run(watch.newest)  # an unknown study is an answer, not a stream
        return stream(request, watch, self._source)

    async def trial_events(self, request: Request) -> Response:
        """Send what changes on a trial's page, as it changes."""
        watch = self._trials.of("{name}/{number}".format(**request.path_params))
        await self._source.run(watch.newest)
        return stream(request, watch, self._source)

    async def as_json(self, request: Request) -> Response:
        """Return the overview for programs."""
        watch = self._watches.of(request.path_params["name"])
        overview = await self._source.run(watch.newest)
        text = "".join(joined(object_text(overview_fields(overview))))
        return Response(text, media_type="application/json")

    async def csv(self, request: Request) -> Response:
        """Send a table of every trial."""
        name = request.path_params["name"]
        lines = await self._source.run(trials_csv, self._store, name)
        # Not in the pages' threads: a slow reader takes as long as it likes.
        shown = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=shown)

    async def ask(self, request: Request) -> Response:
        """Name what an action will do, with the button for writers and the command for all."""
        name, action = request.path_params["name"], request.path_params["action"]
        overview = await self._source.run(self._watches.of(name).newest)
        return await self._action_page(
            overview,
            action=actions.asked(action, overview, request.query_params),
            is_writer=request.state.role == Role.WRITER,
            csrf=csrf_token(request),
        )

    async def act(self, request: Request) -> Response:
        """Do an action of a confirmed form, and say what was done; the log says who did it."""
        name, action = request.path_params["name"], request.path_params["action"]
        fields = await read_confirmed_form(request)
        overview = await self._source.run(self._watches.of(name).newest)
        try:
            sentence = await self._source.write(actions.done, action, name, fields)
        except (StudyError, StorageError) as error:
            return await self._action_page(overview, fault=str(error), status=400)
        actions.note(request, name, sentence)
        return await self._action_page(overview, sentence=sentence)

    async def _action_page(
        self, overview: Overview, status: int = 200, **given: Any
    ) -> HTMLResponse:
        head = await self._source.run(render.panel, "head", overview)
        said = {"sentence": "", "fault": "", "action": None, **given}
        shown = {"tab": "/actions", "panels": {"head": head}, **said}
        return HTMLResponse(render.page("action.html", **_of_study(overview), **shown), status)

    def _pages_of(self, path: str, build: Build) -> list[BaseRoute]:
        """Build the routes of a page: for people, and as JSON for programs."""

        async def read(request: Request) -> tuple[Overview, Any]:
            overview = await self._source.run(self._watches.of(request.path_params["name"]).newest)
            return overview, await self._source.run(build, self._source, overview, request)

        async def show(request: Request) -> Response:
            overview, content = await read(request)
            head = await self._source.run(render.panel, "head", overview)
            given = {"tab": f"/{path}", "panels": {"head": head}, "page": content}
            template = f"{path.partition('/')[0]}.html"
            return HTMLResponse(render.page(template, **_of_study(overview), **given))

        async def tell(request: Request) -> Response:
            _, content = await read(request)
            return Response(json_of(content), media_type="application/json")

        address = f"/s/{{name}}/{path}"
        return [Route(f"{address}.json", explained(tell)), Route(address, explained(show))]

    def _watch_list(self, name: str) -> Watch[list[StudyLine]]:
        return Watch(name, StudiesReader(self._store, has_hours=True).read, render.studies)

    def _watch(self, name: str) -> Watch[Overview]:
        reader = OverviewReader(self._store, name, self._source.artifacts)
        self._readers[name] = reader
        return Watch(name, reader.read, render.panels)

    def _watch_trial(self, key: str) -> Watch[tuple[Overview, TrialPage]]:
        name, _, number = key.rpartition("/")
        reader = TrialPageReader(self._source, name, number)

        def read() -> tuple[Overview, TrialPage]:
            overview = self._watches.of(name).newest()
            return overview, reader.read(overview)

        return Watch(key, read, render.trial)

    def _with_asked(self, name: str, view: View) -> Overview:
        """Return the newest overview, with the curve that the view asks for."""
        watch = self._watches.of(name)
        overview = watch.newest()
        is_there = view.t is not None and view.t < overview.snapshot.total
        if view.t is not None and is_there and view.t not in overview.courses.asked:
            self._readers[name].ask(view.t)
            watch.again()
        return watch.newest()


def _of_study(overview: Overview) -> dict[str, Any]:
    """Return what the template of every page of a study is filled in with."""
    snapshot = overview.snapshot
    return {
        "study": snapshot.study,
        "study_id": snapshot.look.study.study_id,
        "optuna_seconds": optuna_seconds(snapshot.total),
        "is_practice": snapshot.stored.found.is_practice,
        "title": f"{snapshot.study.name} · {snapshot.ended} of {snapshot.study.trials}",
    }


async def _static(request: Request) -> Response:
    name = request.path_params["file"]
    if name not in FILES:
        return Response("there is no such file", 404)
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}  # its address has its digest
    return FileResponse(render.STATIC / name, media_type=FILES[name], headers=kept)
