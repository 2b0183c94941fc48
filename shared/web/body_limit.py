"""A bound on request bodies: refused by `Content-Length` before a byte is read, or as soon as a stream passes it."""

import asyncio
import contextlib
import json
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.problems import PROBLEM_JSON, problem

# Many clients read the answer only after sending everything, so a refused body is read and thrown away for a while.
DRAIN_SECONDS = 30.0
DRAIN_BYTES = 1 << 30


class BodyTooLarge(Exception):
    """Raised inside `receive`; the middleware turns whatever the application makes of it into the 413."""


class BodyLimit:
    """Answers 413 with `advice` when a body is over `max_bytes`. Memory stays at one network chunk."""

    def __init__(self, app: ASGIApp, max_bytes: int, advice: str) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.advice = advice

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self.max_bytes:
            await self._refuse(scope, receive, send)
            return
        taken = 0
        exceeded = started = False

        async def counted() -> Message:
            nonlocal taken, exceeded
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.max_bytes:
                exceeded = True
                raise BodyTooLarge
            return message

        async def guarded(message: Message) -> None:
            nonlocal started
            if exceeded and not started:
                return
            started = True
            await send(message)

        with contextlib.suppress(BodyTooLarge):
            await self.app(scope, counted, guarded)
        if exceeded and not started:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = problem(
            413,
            title="Too large",
            detail=self.advice,
            code="too_large",
            instance=scope["path"],
        )
        body = json.dumps(json.loads(bytes(answer.body))).encode()
        headers = [
            (b"content-type", PROBLEM_JSON.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": True})
        deadline = time.monotonic() + DRAIN_SECONDS
        drained = 0
        while drained < DRAIN_BYTES and (left := deadline - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(receive(), left)
            except TimeoutError:
                break
            drained += len(message.get("body", b""))
            if message["type"] != "http.request" or not message.get("more_body"):
                break
        await send({"type": "http.response.body", "body": b""})
