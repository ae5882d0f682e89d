"""optuna-dashboard's pages as routes of our server: its own paths and no others."""

import os
from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from dashboards.optuna.bridge import bridge
from dashboards.optuna.shell import FILES, shell
from storage.reader import StoreReader

PAGES = ("analytics", "trials", "smartSelection", "note", "preference-history")  # of one study
STUDY = "/dashboard/studies/{study:int}"
FOLDERS: list[str | tuple[str, str]] = [
    ("optuna_dashboard", "public"),
    ("optuna_dashboard", "img"),
    ("dashboards.optuna", "static"),
]


def optuna_routes(store: StoreReader, artifacts: str) -> Sequence[BaseRoute]:
    """Build the routes below /dashboard, /api, /artifacts and /csv.

    artifacts: the location of the artifact store, see `storage.artifacts.artifact_store`.
    """
    html, answers = shell(), bridge(store, artifacts)
    # Its own router finds the page by the address, so all have the same HTML.
    pages = ["/dashboard", "/dashboard/compare-studies", STUDY, *(f"{STUDY}/{it}" for it in PAGES)]

    async def page(_: Request) -> Response:
        return HTMLResponse(html)

    async def table(request: Request) -> Response:
        """Lead to the trials as a table; optuna-dashboard has kept an empty page there."""
        return RedirectResponse(f"/dashboard/studies/{request.path_params['study']}/smartSelection")

    return [
        *(Route(path, page) for path in pages),
        Route("/dashboard/", page),  # its own link to its first page
        Route(f"{STUDY}/trialTable", table),
        Mount(FILES, PackedFiles(packages=FOLDERS)),
        *(Route(f"/{name}/{{path:path}}", answers) for name in ("api", "artifacts", "csv")),
    ]


class PackedFiles(StaticFiles):
    """Files that are sent packed where a packed copy lies beside them (`bundle.js.gz`)."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Build the answer for one file."""
        packed = Path(f"{os.fspath(full_path)}.gz")
        if not _takes_gzip(scope) or not packed.exists():
            return super().file_response(full_path, stat_result, scope, status_code)
        response = super().file_response(packed, packed.stat(), scope, status_code)
        response.headers.update({"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})
        return response


def _takes_gzip(scope: Scope) -> bool:
    return "gzip" in Request(scope).headers.get("accept-encoding", "")
