"""Request ids, access log and request metrics, as one pure-ASGI middleware (it never buffers a stream)."""

import re
import time
import uuid

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.observability.logs import get_logger
from shared.observability.metrics import HTTP_SECONDS
from shared.web.problems import unexpected_problem

log = get_logger("access")

_CALLERS_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})


class RequestContext:
    """Gives each request an id (the caller's `X-Request-ID` if it is harmless), on the log and on the answer.

    An exception that no handler knew ends here: logged with its id, answered as a problem if nothing was sent yet.
    """

    def __init__(self, app: ASGIApp, service: str) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        offered = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = offered if _CALLERS_ID.fullmatch(offered) else uuid.uuid4().hex
        status = 0
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_id)
            except Exception:
                log.exception("unexpected_error", path=scope["path"])
                if status:
                    raise
                await unexpected_problem(scope["path"])(scope, receive, send_with_id)
            finally:
                seconds = time.perf_counter() - started
                # The template, not the path: ids in paths would make one time series each.
                route = getattr(scope.get("route"), "path", "unmatched")
                HTTP_SECONDS.labels(self.service, scope["method"], route, str(status)).observe(seconds)
                if scope["path"] not in _QUIET:
                    log.info(
                        "request",
                        service=self.service,
                        method=scope["method"],
                        path=scope["path"],
                        status=status,
                        ms=round(seconds * 1000, 1),
                    )
