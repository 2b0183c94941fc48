"""Real HTTP servers on loopback: applications under uvicorn, and a language model that follows a script."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

PATIENCE_S = 10.0


@contextmanager
def serving(app) -> Iterator[str]:
    """The URL of an application that runs until the block ends."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[sock])), daemon=True)
    thread.start()
    until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        sock.close()


def until(true) -> None:
    """Wait until `true()`; fail after a while."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


class ModelServer:
    """An OpenAI-compatible server. `script` is what it says: text pieces, or `HANG`, or `DROP`; `status` overrides."""

    HANG, DROP = object(), object()

    def __init__(self) -> None:
        self.url = ""
        self.script: list[object] = []
        self.status = 200
        self.requests: list[dict[str, Any]] = []
        self.traceparents: list[str] = []
        self.hung_up = threading.Event()
        self.app = FastAPI()
        self.app.post("/v1/chat/completions")(self._complete)

    @property
    def prompt(self) -> str:
        return "\n".join(message["content"] for message in self.requests[-1]["messages"])

    async def _complete(self, request: Request):
        self.requests.append(await request.json())
        self.traceparents.append(request.headers.get("traceparent", ""))
        return StreamingResponse(self._say(), media_type="text/event-stream", status_code=self.status)

    async def _say(self) -> AsyncIterator[str]:
        try:
            for piece in self.script:
                if piece is self.HANG:
                    await asyncio.Event().wait()
                if piece is self.DROP:
                    raise ConnectionAbortedError("as if the model's process died")
                yield _event({"choices": [{"index": 0, "delta": {"content": piece}}]})
            usage = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
            yield _event({"choices": [], "usage": usage})
            yield "data: [DONE]\n\n"
        except asyncio.CancelledError:
            self.hung_up.set()
            raise


def _event(chunk: dict[str, Any]) -> str:
    body = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "scripted", **chunk}
    return f"data: {json.dumps(body)}\n\n"
