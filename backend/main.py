"""The whole API and the built page in one process, for laptops: `uvicorn backend.main:make_main_app --factory`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount
from starlette.staticfiles import StaticFiles

from backend.app import make_app
from backend.config import ROOT
from backend.resources import Resources
from backend.routers import backtest, data, strategies

if TYPE_CHECKING:
    from starlette.types import Scope

SITE = ROOT / "frontend" / "dist"
#: Their names hold the hash of their bytes.
_HASHED = "assets/"
_NOT_BUILT = """\
<!doctype html><html lang="en"><meta charset="utf-8"><title>Potential Parakeet</title>
<h1>The page is not built yet</h1>
<p>Stop this and start <code>scripts/run</code>, which builds it. The API works: see <a href="/docs">its
documentation</a>.</p>
</html>
"""


def make_main_app(resources: Resources | None = None, *, site: Path = SITE) -> FastAPI:
    """Application with every router, and the page of a folder at every path that is not the API's."""
    # Routes are tried one by one: what takes longest and is asked most often first.
    app = make_app((backtest.router, strategies.router, data.router), resources)
    app.router.routes.append(_SiteMount("/", _Site(directory=site, check_dir=False)))
    return app


class _SiteMount(Mount):
    """Every path but those under /api, where a mistake in a path or a method is the API's to answer."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path = scope.get("path", "")
        return (Match.NONE, {}) if path == "/api" or path.startswith("/api/") else super().matches(scope)


class _Site(StaticFiles):
    """Files of the built page; an address of one of its views is answered with the page itself."""

    async def check_config(self) -> None:
        """Leave a folder that is not there to `get_response`, which says so in words."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or path.startswith(_HASHED):  # noqa: PLR2004  not found
                raise
            response = await self._page(scope)
        is_hashed = path.startswith(_HASHED) and response.status_code < 400  # noqa: PLR2004  found
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_hashed else "no-cache"
        return response

    async def _page(self, scope: Scope) -> Response:
        try:
            return await super().get_response("index.html", scope)
        except HTTPException:
            return HTMLResponse(_NOT_BUILT, status_code=404)
