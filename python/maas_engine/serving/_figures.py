"""Pages of figures: Prometheus' metrics, Triton's statistics, drift."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from maas_engine.serving._metrics import CONTENT_TYPE, metrics_text
from maas_engine.serving._models import Models
from maas_engine.serving._triton import statistics


def routes_of_figures(models: Models) -> list[Route]:
    """Return the pages' routes."""

    async def metrics(request: Request) -> Response:
        del request
        return Response(metrics_text(models.figures(), models.index()), media_type=CONTENT_TYPE)

    async def stats(request: Request) -> Response:
        name, version = (request.path_params.get(each, "") for each in ("model", "version"))
        if name:
            models.metadata(name, version)  # NotFound where there is none
        found = [
            each
            for each in models.figures()["models"]
            if each["model"] and name in ("", each["model"]) and version in ("", each["version"])
        ]
        return JSONResponse(statistics(found))

    def monitoring(request: Request) -> Response:  # no coroutine: it takes longer
        return JSONResponse(models.monitoring(request.path_params["model"]))

    return [
        Route("/metrics", metrics),
        Route("/v2/models/{model}/monitoring", monitoring),
        Route("/v2/models/stats", stats),
        Route("/v2/models/{model}/stats", stats),
        Route("/v2/models/{model}/versions/{version}/stats", stats),
    ]
