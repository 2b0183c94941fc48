"""A thousand answers at once: what open streams cost, and whether the service still says that it is alive.

    python -m benchmarks.streams [--streams 1000]

The service runs in a process of its own over a small library; the language model, here, says a word a second and never
ends. All clients ask at the same moment, hold their streams open, and go away at the same moment.
"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shared.settings import Settings
from shared.vector_store.bootstrap import open_store
from tests.integration.query.library import fill

QUESTION = "Quando o Inatel foi fundado?"
PATIENCE_S = 120.0
LOOK_S = 0.02


@dataclass(slots=True)
class Result:
    """Seconds and MiB; `livez` are the times of calls made one after the other all along.

    CPU seconds of the service until all streams speak, and while all are cancelled: these hold on a busy machine, too.
    """

    streams: int
    livez: list[float] = field(default_factory=list)
    first_words: list[float] = field(default_factory=list)
    idle_mib: float = 0.0
    busy_mib: float = 0.0
    begin_cpu_s: float = 0.0
    cancel_cpu_s: float = 0.0
    cancelled: int = 0
    cancel_s: float = 0.0

    def livez_ms(self, quantile: float) -> float:
        return round(sorted(self.livez)[int(quantile * (len(self.livez) - 1))] * 1000, 1)


class TricklingModel:
    """`/chat/completions` that says a word a second until its caller goes away."""

    def __init__(self) -> None:
        self.open = 0
        self.ended = 0
        self.all_ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        self.open += 1
        gone = asyncio.create_task(_gone(reader))
        body = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "slow"}
        choice = {"index": 0, "delta": {"content": "palavra "}, "finish_reason": None}
        word = f"data: {json.dumps(body | {'choices': [choice]})}\n\n".encode()
        while not gone.done():
            writer.write(word)
            await asyncio.wait([gone], timeout=1)
        self.ended += 1
        if self.ended == self.open:
            self.all_ended.set()
        writer.close()


async def _gone(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        await reader.read(1)


async def measure(streams: int, folder: Path) -> Result:
    """Raises `TimeoutError` when not every stream speaks, or not every model call is cancelled, in two minutes."""
    result, model = Result(streams), TricklingModel()
    upstream = await asyncio.start_server(model.serve, "127.0.0.1", 0, backlog=streams)
    address = f"http://127.0.0.1:{upstream.sockets[0].getsockname()[1]}/v1"
    async with upstream, _service(folder, address) as (process, port):
        result.idle_mib = _resident_mib(process.pid)
        watching = asyncio.create_task(_watch(port, result))
        begun, used = time.perf_counter(), _cpu_s(process.pid)
        clients = [_Client(port) for _ in range(streams)]
        asking = [asyncio.create_task(client.hold(begun, result)) for client in clients]
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(client.speaks.wait() for client in clients))
        result.begin_cpu_s = _cpu_s(process.pid) - used
        await asyncio.sleep(3)  # all of them speak at once for a while
        result.busy_mib = _resident_mib(process.pid)
        left, used = time.perf_counter(), _cpu_s(process.pid)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        async with asyncio.timeout(PATIENCE_S):
            await model.all_ended.wait()
        result.cancelled, result.cancel_s = model.ended, time.perf_counter() - left
        result.cancel_cpu_s = _cpu_s(process.pid) - used
        if watching.done():
            watching.result()  # raises what ended it
        watching.cancel()
    return result


@asynccontextmanager
async def _service(folder: Path, model: str) -> AsyncIterator[tuple[subprocess.Popen[bytes], int]]:
    settings = Settings(data_dir=folder, _env_file=None)
    store = open_store(settings, None)
    fill(store)
    store.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "XGTWIN_DATA_DIR": str(folder),
        "QUERY__PORT": str(port),
        "LLM__BASE_URL": model,
        "LLM__MODEL": "slow",
        "LLM__FIRST_TOKEN_S": "120",
        "LLM__TIMEOUT_S": "600",
        "LOG__LEVEL": "warning",
    }
    process = subprocess.Popen([sys.executable, "-m", "query_service"], env=environment)  # noqa: ASYNC220
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await _alive(port):  # noqa: ASYNC110 - another process is waited for
                await asyncio.sleep(0.1)
        yield process, port
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


async def _watch(port: int, result: Result) -> None:
    while True:
        begun = time.perf_counter()
        if not await _alive(port):
            raise ConnectionError("/livez does not answer")
        result.livez.append(time.perf_counter() - begun)
        await asyncio.sleep(LOOK_S)


async def _alive(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.write(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer.startswith(b"HTTP/1.1 200")


class _Client:
    def __init__(self, port: int) -> None:
        self._port = port
        self.speaks = asyncio.Event()

    async def hold(self, begun: float, result: Result) -> None:
        """Ask, note when the first word comes, and read on until cancelled."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            body = json.dumps({"question": QUESTION, "stream": True}).encode()
            head = "POST /ask HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            await reader.readuntil(b"event: delta")
            result.first_words.append(time.perf_counter() - begun)
            self.speaks.set()
            while await reader.read(65536):
                pass
            raise ConnectionError("the service ended a stream")
        finally:
            writer.close()


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def _cpu_s(pid: int) -> float:
    """User and system time of all its threads so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--streams", type=int, default=1000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(measure(arguments.streams, Path(folder)))
    words = sorted(result.first_words)
    rows = {
        "first word, median / last": f"{words[len(words) // 2]:.1f} / {words[-1]:.1f} s",
        "/livez p50 / p99 / worst": f"{result.livez_ms(0.5)} / {result.livez_ms(0.99)} / {result.livez_ms(1)} ms",
        "CPU of a stream, begin / cancel": f"{1000 * result.begin_cpu_s / result.streams:.1f} / "
        f"{1000 * result.cancel_cpu_s / result.streams:.1f} ms",
        "memory of a stream": f"{(result.busy_mib - result.idle_mib) * 1024 / result.streams:.0f} KiB",
        "memory, idle / busy": f"{result.idle_mib:.0f} / {result.busy_mib:.0f} MiB",
        "model calls cancelled": f"{result.cancelled} in {result.cancel_s:.1f} s",
    }
    for name, value in rows.items():
        sys.stdout.write(f"| {name} | {value} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
