"""A language model that answers at once and knows when each question arrived: what is left is the time before it.

    python -m benchmarks.instant_llm PORT

`POST /v1/chat/completions` as OpenAI-compatible servers have it; `GET /arrivals` gives what arrived since it was asked
last: [[seconds on the system's monotonic clock, the end of the last message], ...].
"""

import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

ANSWER = "Os documentos o dizem [1]."
KEPT_CHARS = 2000
"""Of the last message, where the question stands."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class InstantLlm:
    """An ASGI application without a framework, so that it takes as little of the machine as can be."""

    def __init__(self) -> None:
        self._arrivals: list[tuple[float, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] == "GET":
            arrivals, self._arrivals = self._arrivals, []
            await _send(send, json.dumps(arrivals).encode(), "application/json")
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        arrived = time.monotonic()
        request = json.loads(body)
        self._arrivals.append((arrived, str(request["messages"][-1]["content"])[-KEPT_CHARS:]))
        if request.get("stream"):
            chunk = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ANSWER}}]}
            end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
            await _send(send, b"".join(map(_event, (chunk, end))) + b"data: [DONE]\n\n", "text/event-stream")
        else:
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER}}
            whole = _completion("chat.completion", {"choices": [choice]})
            await _send(send, json.dumps(whole).encode(), "application/json")


def _completion(kind: str, rest: dict[str, Any]) -> dict[str, Any]:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {"id": "1", "object": kind, "created": 1, "model": "instant", "usage": usage, **rest}


def _event(rest: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(_completion('chat.completion.chunk', rest))}\n\n".encode()


async def _send(send: Send, body: bytes, kind: str) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(InstantLlm(), host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False)
