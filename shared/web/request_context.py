"""Request ids, access log, traces and request metrics, as one pure-ASGI middleware (it never buffers a stream)."""

import re
import time
import uuid

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.observability import traces
from shared.observability.logs import get_logger, log_scope
from shared.observability.metrics import HTTP_SECONDS
from shared.web.problems import unexpected_problem

log = get_logger("access")

_CALLERS_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})
_LOGGED_IDS = frozenset({"document_id", "job_id", "conversation_id", "message_id"})


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
        sent = dict(scope["headers"])
        offered = sent.get(b"x-request-id", b"").decode("latin-1")
        request_id = offered if _CALLERS_ID.fullmatch(offered) else uuid.uuid4().hex
        with log_scope(request_id=request_id):
            if scope["path"] in _QUIET:
                await self._watched(scope, receive, send, request_id)
                return
            above = sent.get(b"traceparent", b"").decode("latin-1")
            facts = {"http.request.method": scope["method"], "xgtwin.request_id": request_id}
            with traces.serving(scope["method"], above, facts) as span:
                status = await self._watched(scope, receive, send, request_id)
                span.rename(f"{scope['method']} {_route(scope)}")
                span.note({"http.route": _route(scope), "http.response.status_code": status})
                if status >= 500:
                    span.failed(str(status))

    async def _watched(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> int:
        """Run the request to its end; the status that was answered."""
        status = 0
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            log.exception("unexpected_error", path=scope["path"])
            if status:
                raise
            await unexpected_problem(scope["path"])(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            HTTP_SECONDS.labels(self.service, scope["method"], _route(scope), str(status)).observe(seconds)
            if scope["path"] not in _QUIET:
                log.info(
                    "request",
                    service=self.service,
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    ms=round(seconds * 1000, 1),
                    **_ids_in_path(scope),
                )
        return status


def _route(scope: Scope) -> str:
    """The template, not the path: ids in paths would make one time series each."""
    return str(getattr(scope.get("route"), "path", "unmatched"))


def _ids_in_path(scope: Scope) -> dict[str, str]:
    return {name: str(value) for name, value in scope.get("path_params", {}).items() if name in _LOGGED_IDS}
