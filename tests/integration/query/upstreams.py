"""A language model's server with one misfortune after another, chosen by the model's name."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

WORDS = ["O Inatel ", "foi fundado ", "em 1965 [1]."]
USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
_ABOUT = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "scripted"}
FAULTS = ["slow", "busy", "down", "dropped", "ended", "garbled", "empty", "trickle"]
"""`slow` never says a word, `busy` answers 429 with `Retry-After: 1`, `down` 500, `dropped` breaks off after two words,
`ended` just ends there, `garbled` sends JSON that is none, `empty` ends without a word, `trickle` says one every 0.1 s
for ever."""


class Upstream:
    """`/v1/chat/completions` for the models `good` and `FAULTS`; `calls` counts requests, `ended` those given up."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.ended = 0
        self.app = FastAPI()
        self.app.post("/v1/chat/completions")(self._complete)

    async def _complete(self, request: Request) -> Response:
        asked = await request.json()
        fault = asked["model"].rpartition("/")[2]
        self.calls.append(fault)
        return self.answer(fault)

    def answer(self, fault: str) -> Response:
        if fault == "busy":
            body = {"error": {"message": "slow down", "type": "rate_limit", "code": "429"}}
            return Response(json.dumps(body), 429, {"Retry-After": "1"}, "application/json")
        if fault == "down":
            return Response(
                '{"error": {"message": "boom", "type": "server_error"}}', 500, media_type="application/json"
            )
        return StreamingResponse(self._said(fault), media_type="text/event-stream")

    async def _said(self, fault: str) -> AsyncIterator[str]:
        try:
            if fault == "slow":
                await asyncio.Event().wait()
            if fault == "garbled":
                yield "data: {this is no JSON\n\n"
                return
            while fault == "trickle":
                yield _chunk({"content": "palavra "})
                await asyncio.sleep(0.1)
            for word in WORDS if fault != "empty" else ():
                if fault == "dropped" and word == WORDS[2]:
                    await asyncio.sleep(0.2)  # what was said has to leave first
                    raise ConnectionAbortedError("as if the model's process died")
                if fault == "ended" and word == WORDS[2]:
                    return
                yield _chunk({"content": word})
            yield _chunk({}, finish="stop")
            yield f"data: {json.dumps({**_ABOUT, 'choices': [], 'usage': USAGE})}\n\n"
            yield "data: [DONE]\n\n"
        except asyncio.CancelledError:
            self.ended += 1
            raise


def _chunk(delta: dict[str, Any], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps({**_ABOUT, 'choices': [choice]})}\n\n"
