"""The control plane's pages: everything that is not on the path of a prediction.

Every answer is JSON; whatever goes wrong is ``{"error": …}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from maas_engine.errors import FormatError, InvalidArgument, MaasError
from maas_engine.serving._figures import routes_of_figures
from maas_engine.serving._models import Models, said
from maas_engine.serving._openapi import document
from maas_engine.serving._triton import config


def make_app(models: Models) -> Starlette:
    """Return the application."""
    pages = Pages(models)
    routes = [
        Route("/openapi.json", pages.openapi),
        Route("/v2/repository/index", pages.index, methods=["POST"]),
        Route("/v2/repository/models/{model}/load", pages.load, methods=["POST"]),
        Route("/v2/repository/models/{model}/unload", pages.unload, methods=["POST"]),
        Route("/v2/models/{model}/config", pages.config),
        Route("/v2/models/{model}/versions/{version}/config", pages.config),
        *routes_of_figures(models),
    ]
    handlers: Mapping[Any, Any] = {
        HTTPException: _refused,
        MaasError: _failed,
        Exception: _broken,
    }
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False  # to wherever a Host field says
    return app


class Pages:
    """One method a page. Those that take long are no coroutines: they run on threads of their own."""

    def __init__(self, models: Models) -> None:
        self._models = models

    async def openapi(self, request: Request) -> Response:
        del request
        return JSONResponse(document())

    async def index(self, request: Request) -> Response:
        ready = (await _body(request)).get("ready", False)
        if not isinstance(ready, bool):
            raise InvalidArgument("expected ready as true or false")
        rows = self._models.index()
        return JSONResponse([row for row in rows if row["state"] == "READY" or not ready])

    async def load(self, request: Request) -> Response:
        await _body(request)
        return await _elsewhere(self._models.load, request.path_params["model"])

    async def unload(self, request: Request) -> Response:
        await _body(request)
        return await _elsewhere(self._models.unload, request.path_params["model"])

    async def config(self, request: Request) -> Response:
        name, version = request.path_params["model"], request.path_params.get("version", "")
        return JSONResponse(config(self._models.metadata(name, version)))


async def _elsewhere(work: Any, name: str) -> Response:
    from starlette.concurrency import run_in_threadpool

    await run_in_threadpool(work, name)
    return JSONResponse({})


async def _body(request: Request) -> dict[str, Any]:
    """The request's JSON object; {} where there is no body."""
    data = await request.body()
    if not data.strip():
        return {}
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise FormatError("expected a body of JSON") from None
    if not isinstance(value, dict):
        raise InvalidArgument("expected a JSON object")
    return value


def _refused(request: Request, error: HTTPException) -> Response:
    path = request.url.path[:64]
    words = {
        404: f"expected a path of this server (GET /openapi.json lists them), got {path!r}",
        405: f"expected another method for {path!r}",
    }
    return JSONResponse(
        {"error": words.get(error.status_code, error.detail)}, error.status_code, headers=error.headers
    )


def _failed(request: Request, error: MaasError) -> Response:
    del request
    return JSONResponse({"error": said(error)}, error.status)


def _broken(request: Request, error: Exception) -> Response:
    del request, error
    return JSONResponse({"error": "[serve] internal error: the server's log has it"}, 500)
