"""What a question costs: p50 and p99 of /search and /ask by the size of the corpus, next to others on this machine.

    python -m benchmarks.query [--chunks 1000,10000,100000] [--calls 300] [--langchain PYTHON --langchain-chunks 10000]

Synthetic Portuguese text, real lexical vectors, random dense ones; questions are embedded for real by all-MiniLM-L6-v2
in ONNX. The language model answers at once, so that /ask shows what comes before it. All contenders take turns in
blocks of the same questions, none of which is put twice; only ratios of one run count.

PYTHON is an interpreter with langchain-chroma, langchain-openai, fastembed, fastapi and uvicorn installed. Chroma takes
400 chunks a second, so it can be left out of the larger sizes.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

from benchmarks.query_contenders import InProcess, OverHttp, RawEngine, Times, by_threads
from benchmarks.query_corpus import Corpus, fill, write_corpus
from query_service.bootstrap import build_app
from shared.observability.logs import configure_logging
from shared.part_settings import EmbedderSettings, LlmSettings, LogSettings
from shared.parts import open_parts
from shared.settings import Settings
from tests.models import minilm

ROOT = Path(__file__).parents[1]
CLIENTS = (1, 16)
BLOCKS = 5
START_SECONDS = 60


@dataclass(slots=True)
class Row:
    """A contender and how long each of its calls took, by the number of clients; `first` until the model was asked."""

    name: str
    run: Callable[[Sequence[str], int], Times]
    asks: bool = False
    calls: dict[int, list[float]] = field(default_factory=lambda: {clients: [] for clients in CLIENTS})
    first: dict[int, list[float]] = field(default_factory=lambda: {clients: [] for clients in CLIENTS})
    seconds: dict[int, float] = field(default_factory=lambda: dict.fromkeys(CLIENTS, 0.0))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--chunks", default="1000,10000,100000")
    parser.add_argument("--calls", type=int, default=300, help="of each contender by each number of clients")
    parser.add_argument("--langchain", help="Python interpreter that has LangChain and Chroma")
    parser.add_argument("--langchain-chunks", type=int, default=10_000, help="largest corpus that Chroma is given")
    options = parser.parse_args()
    if reason := minilm.available():
        print(f"Nothing to embed with: {reason}.", file=sys.stderr)
        return 1
    configure_logging(LogSettings(level="warning"))
    for chunks in map(int, options.chunks.split(",")):
        langchain = options.langchain if chunks <= options.langchain_chunks else None
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), chunks, options.calls, langchain)
    return 0


def measure(folder: Path, chunks: int, calls: int, langchain: str | None) -> None:
    model = minilm.build(folder / "model")
    corpus = write_corpus(chunks, minilm.DIMENSION)
    with ExitStack() as stack:
        llm_port = stack.enter_context(served([sys.executable, "-m", "benchmarks.instant_llm"], "/arrivals"))
        settings = Settings(
            _env_file=None,
            data_dir=folder / "data",
            embedder=EmbedderSettings(kind="fastembed", model=minilm.MODEL_NAME, model_dir=model),
            llm=LlmSettings(base_url=f"http://127.0.0.1:{llm_port}/v1", model="instant"),
        )
        with open_parts(settings) as parts:
            fill(parts.store, corpus)
        rows = ours(stack, folder, settings, model)
        if langchain:
            rows += theirs(stack, folder, corpus, python=langchain, llm_port=llm_port)
        take_turns(rows, corpus.questions, calls, OverHttp(llm_port))
        show(f"{chunks} chunks, {calls} calls each", rows)


def ours(stack: ExitStack, folder: Path, settings: Settings, model: Path) -> list[Row]:
    """The engine, the application in this process and the service in its own, each over a copy of the same files."""
    shard = next((settings.data_dir / "vectors" / settings.store.collection).rglob("edge_config.json")).parent
    raw = RawEngine(Path(shutil.copytree(shard, folder / "raw")), model)
    stack.callback(raw.close)
    copy = settings.model_copy(update={"data_dir": Path(shutil.copytree(settings.data_dir, folder / "copy"))})
    parts = stack.enter_context(open_parts(copy))
    app = build_app(copy, engine=parts.engine, store=parts.store, model=parts.model)
    here = stack.enter_context(InProcess(app))
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "XGTWIN_DATA_DIR": str(settings.data_dir),
        "EMBEDDER__KIND": settings.embedder.kind,
        "EMBEDDER__MODEL": settings.embedder.model,
        "EMBEDDER__MODEL_DIR": str(model),
        "LLM__BASE_URL": settings.llm.base_url,
        "LLM__MODEL": settings.llm.model,
        "LOG__LEVEL": "warning",
    }
    command = [sys.executable, "-m", "query_service"]
    http = OverHttp(stack.enter_context(served(command, "/readyz", environment, port_setting="QUERY__PORT")))
    return [
        Row("raw engine + embedding", lambda asked, n: by_threads(raw.search, asked, n)),
        Row("search, in process", lambda asked, n: by_threads(lambda q: here.post("/search", {"query": q}), asked, n)),
        Row("search, HTTP", lambda asked, n: by_threads(lambda q: http.post("/search", {"query": q}), asked, n)),
        Row(
            "ask, in process", lambda asked, n: by_threads(lambda q: here.post("/ask", {"question": q}), asked, n), True
        ),
        Row("ask, HTTP", lambda asked, n: by_threads(lambda q: http.post("/ask", {"question": q}), asked, n), True),
    ]


def theirs(stack: ExitStack, folder: Path, corpus: Corpus, *, python: str, llm_port: int) -> list[Row]:
    home = folder / "langchain"
    home.mkdir()
    shutil.copytree(folder / "model", home / "model")
    (home / "corpus.json").write_text(json.dumps({"texts": corpus.texts}), encoding="utf-8")
    np.save(home / "vectors.npy", corpus.vectors)
    command = [python, str(ROOT / "benchmarks/query_langchain.py"), str(home), f"http://127.0.0.1:{llm_port}/v1"]
    seconds = START_SECONDS + len(corpus.texts) / 100
    http = OverHttp(stack.enter_context(served(command, "/openapi.json", seconds=seconds)))

    def here(what: str) -> Callable[[Sequence[str], int], Times]:
        return lambda asked, n: http.post("/here", {"what": what, "queries": list(asked), "clients": n})

    def over(path: str) -> Callable[[Sequence[str], int], Times]:
        return lambda asked, n: by_threads(lambda q: http.post(path, {"query": q}), asked, n)

    return [
        Row("LangChain search, in process", here("search")),
        Row("LangChain search, HTTP", over("/search")),
        Row("LangChain ask, in process", here("ask"), True),
        Row("LangChain ask, HTTP", over("/ask"), True),
    ]


def take_turns(rows: Sequence[Row], questions: Sequence[str], calls: int, llm: OverHttp) -> None:
    """Everybody gets the same questions in the same order; each block of them is new, so no cache answers."""
    fresh = iter(numbered(questions))
    for row in rows:
        row.run([next(fresh) for _ in range(20)], CLIENTS[-1])  # warm
    llm.get("/arrivals")
    for clients in CLIENTS:
        for _ in range(BLOCKS):
            block = [next(fresh) for _ in range(calls // BLOCKS)]
            for row in rows:
                begun = time.monotonic()
                times = row.run(block, clients)
                row.seconds[clients] += time.monotonic() - begun
                row.calls[clients] += [end - start for start, end in times]
                if row.asks:
                    row.first[clients] += until_asked(block, times, llm.get("/arrivals"))


def numbered(questions: Sequence[str]) -> Iterator[str]:
    """The questions again and again, never twice in the same words."""
    turn = 0
    while True:
        turn += 1
        for question in questions:
            yield f"{question.rstrip('?')} no ensaio {turn}?" if turn > 1 else question


def until_asked(block: Sequence[str], times: Times, arrivals: Sequence[tuple[float, str]]) -> list[float]:
    found = []
    for question, (begun, ended) in zip(block, times, strict=True):
        came = [at for at, message in arrivals if question in message and begun <= at <= ended]
        found += [came[0] - begun] if came else []
    return found


def show(title: str, rows: Sequence[Row]) -> None:
    """Milliseconds; `x raw` compares medians with the first row's."""
    print(
        f"\n{title}\n{'':<32}" + "".join(f"{f'{n} clients: p50':>16}{'p99':>8}{'x raw':>7}{'/s':>7}" for n in CLIENTS)
    )
    for row in rows:
        print(f"{row.name:<32}" + "".join(_figures(row.calls[n], rows[0].calls[n], row.seconds[n]) for n in CLIENTS))
        if row.asks:
            name = f"  until the model is asked ({len(row.first[1])})"
            print(f"{name:<32}" + "".join(_figures(row.first[n], rows[0].calls[n]) for n in CLIENTS))
    sys.stdout.flush()


def _figures(seconds: Sequence[float], raw: Sequence[float], total: float = 0.0) -> str:
    if not seconds:
        return f"{'-':>16}{'':>22}"
    p50, p99 = np.percentile(seconds, [50, 99])
    rate = f"{len(seconds) / total:>7.0f}" if total else " " * 7
    return f"{1000 * p50:>16.1f}{1000 * p99:>8.1f}{p50 / np.median(raw):>7.2f}{rate}"


@contextmanager
def served(
    command: Sequence[str],
    path: str,
    environment: dict[str, str] | None = None,
    *,
    port_setting: str = "",
    seconds: float = START_SECONDS,
) -> Iterator[int]:
    """The port of a server in a process of its own, from its first answer at `path` on; it is told by a setting or as
    its last argument."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    told = {port_setting: str(port)} if port_setting else {}
    arguments = [*command] if port_setting else [*command, str(port)]
    process = subprocess.Popen(arguments, env={**(environment or os.environ), **told}, cwd=ROOT)
    try:
        deadline = time.monotonic() + seconds
        while not _answers(port, path):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{' '.join(arguments)} does not serve {path}; see above.")
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def _answers(port: int, path: str) -> bool:
    try:
        OverHttp(port).get(path)
    except (OSError, ValueError, httpx.HTTPError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
