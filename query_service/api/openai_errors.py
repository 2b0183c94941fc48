"""Whatever goes wrong below `/v1`, in the shape that clients of OpenAI's protocol read and show.

The routes refuse as all others do, with problem documents; they are rendered anew at the very edge, so that what the
framework and the limits refuse is told in the same shape: unknown paths, large bodies, foreign pages.
"""

import json
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.problems import PROBLEM_JSON

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_STATUS = {422: 400}
"""OpenAI knows no 422: what is wrong with a request is always 400. Log and metrics keep ours, which says more."""


def openai_error(status: int, detail: str, code: str, param: str | None = None) -> dict[str, Any]:
    """`{"error": {"message", "type", "param", "code"}}`; `param` is the field that is to blame."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": detail, "type": kind, "param": param, "code": code}}


class OpenAIErrors:
    """Middleware that turns each problem document below `/v1` into OpenAI's error."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not f"{scope['path']}/".startswith("/v1/"):
            await self.app(scope, receive, send)
            return
        held: Message | None = None

        async def rendered(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start":
                held = message if MutableHeaders(scope=message).get("content-type") == PROBLEM_JSON else None
                if held is not None:
                    return
            if held is not None and message["type"] == "http.response.body":
                body = _rendered(message["body"])
                held["status"] = _STATUS.get(held["status"], held["status"])
                headers = {"content-type": "application/json", "content-length": str(len(body))}
                MutableHeaders(scope=held).update(headers)
                await send(held)
                held, message = None, {**message, "body": body}
            await send(message)

        await self.app(scope, receive, rendered)


def _rendered(body: bytes) -> bytes:
    """A problem document is sent in one piece, whoever makes it."""
    problem = json.loads(body)
    blamed = [error["field"].removeprefix("body").lstrip(".") for error in problem["errors"]]
    param = problem.get("param") or next((field for field in blamed if field), None)
    error = openai_error(_STATUS.get(problem["status"], problem["status"]), problem["detail"], problem["code"], param)
    return json.dumps(error, ensure_ascii=False).encode()
