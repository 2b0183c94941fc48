"""What benchmarks/query.py lets take turns: the engine itself, the product in process and over HTTP, LangChain."""

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import numpy as np
import onnxruntime
import qdrant_edge as edge
from fastapi import FastAPI
from tokenizers import Tokenizer

from shared.embeddings.lexical import LexicalEncoder
from shared.models import DEFAULT_ORGANIZATION_ID
from shared.vector_store.edge_requests import query
from shared.vector_store.protocol import SearchRequest
from tests.models import minilm

PASSAGES = 5
TIMEOUT_S = 120

Times = list[tuple[float, float]]
"""When each call began and ended, in seconds of the system's monotonic clock."""
Call = Callable[[str], object]


def by_threads(call: Call, questions: Sequence[str], clients: int) -> Times:
    """So many clients begin at once, and each puts its next question as soon as it has an answer."""
    together = threading.Barrier(clients)

    def client(mine: Sequence[str]) -> Times:
        together.wait()
        times = []
        for question in mine:
            begun = time.monotonic()
            call(question)
            times.append((begun, time.monotonic()))
        return times

    with ThreadPoolExecutor(clients) as threads:
        shares = list(threads.map(client, [questions[number::clients] for number in range(clients)]))
    # Back in the order of the questions.
    return [shares[number % clients][number // clients] for number in range(len(questions))]


class RawEngine:
    """Tokenizer, onnxruntime and one fused request to the shard, nothing else: what cannot be done without."""

    def __init__(self, shard: Path, model: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(
            str(model / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
        self._tokenizer.enable_truncation(minilm.MAX_TOKENS)
        self._tokenizer.no_padding()
        self._encoder = LexicalEncoder()
        self._shard = edge.EdgeShard.load(str(shard))

    def search(self, question: str) -> list[Any]:
        vector = self._embed(question)
        request = SearchRequest(DEFAULT_ORGANIZATION_ID, self._encoder.question(question), vector, limit=PASSAGES)
        wanted = query(request)
        assert wanted is not None
        return [point.payload for point in self._shard.query(wanted)]

    def close(self) -> None:
        self._shard.close()

    def _embed(self, question: str) -> tuple[float, ...]:
        ids = np.array([self._tokenizer.encode(question).ids], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        hidden = np.asarray(self._session.run(None, inputs)[0])
        pooled = hidden.mean(axis=1)[0]
        return tuple((pooled / np.linalg.norm(pooled)).tolist())


class OverHttp:
    """One connection a client, kept open while it has questions. Raises `RuntimeError` on any answer but 200."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._own = threading.local()

    def post(self, path: str, body: dict[str, object]) -> Any:
        try:
            status, text = self._sent(path, body)
        except ConnectionError:  # servers close a connection that was silent for a while
            self._own.connection.close()
            status, text = self._sent(path, body)
        if status != 200:
            raise RuntimeError(f"{path} answered {status}: {text[:300]!r}")
        return json.loads(text)

    def _sent(self, path: str, body: dict[str, object]) -> tuple[int, bytes]:
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
        self._own.connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = self._own.connection.getresponse()
        return response.status, response.read()

    def get(self, path: str) -> Any:
        return httpx.get(f"http://127.0.0.1:{self._port}{path}", timeout=TIMEOUT_S, trust_env=False).json()


class InProcess(AbstractContextManager["InProcess"]):
    """The application without a socket, on an event loop of its own thread as uvicorn gives it."""

    def __init__(self, app: FastAPI) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._app = app
        self._lifespan = app.router.lifespan_context(app)
        transport = httpx.ASGITransport(app)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://here", timeout=TIMEOUT_S)

    def __enter__(self) -> "InProcess":
        self._thread.start()
        self._wait(self._lifespan.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wait(self._lifespan.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def post(self, path: str, body: dict[str, object]) -> Any:
        response = self._wait(self._client.post(path, json=body))
        if response.status_code != 200:
            raise RuntimeError(f"{path} answered {response.status_code}: {response.text[:300]!r}")
        return response.json()

    def _wait(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(TIMEOUT_S)
