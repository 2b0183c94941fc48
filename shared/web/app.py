"""The frame of every service's HTTP application."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI, Response
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.middleware.cors import CORSMiddleware

from shared.version import VERSION
from shared.web.body_limit import BodyLimit
from shared.web.health import Facts, Ping, health_routes
from shared.web.origins import LOCAL_PAGES, OriginGate, Origins
from shared.web.problems import add_problem_handlers
from shared.web.request_context import RequestContext

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_service_app(
    service: str,
    *,
    description: str,
    pings: Mapping[str, Ping],
    facts: Facts,
    lifespan: Lifespan,
    max_body_bytes: int,
    body_advice: str,
    origins: Origins,
    **extra: Any,
) -> FastAPI:
    """A FastAPI application with problem documents, request ids, a body limit, health, metrics and `/docs`.

    `service` is the name on metrics and logs, `body_advice` what a 413 tells the caller to do, `origins` whose
    pages may use the service, `extra` goes to FastAPI.
    """
    # FastAPI's own /docs loads its page from a CDN and stays blank on a machine without internet.
    app: FastAPI = FastAPIOffline(
        title=f"xgtwin {service}", version=VERSION, description=description, lifespan=lifespan, **extra
    )
    add_problem_handlers(app)
    app.include_router(health_routes(pings, facts))

    @app.get("/metrics", tags=["health"])
    def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    app.add_middleware(BodyLimit, max_bytes=max_body_bytes, advice=body_advice)
    app.add_middleware(OriginGate, origins=origins, section=service.upper())
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins.listed,
        allow_origin_regex=LOCAL_PAGES,
        allow_methods=["*"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "X-API-Key", "X-Request-ID"],
        expose_headers=[
            "Idempotent-Replayed",
            "Location",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "X-Request-ID",
        ],
    )
    app.add_middleware(RequestContext, service=service)
    return app
