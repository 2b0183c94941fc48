"""The same searches put to Qdrant Edge, to PostgreSQL and, if QDRANT_URL (and QDRANT_API_KEY) name one, to a Qdrant
server in turns: `python -m benchmarks.stores [CHUNKS ...]`.

Prints, for each size, the time of storing, of a search by words and of a fused one, and how many of Edge's best ten the
others find. Figures: docs/decisions/0003-vector-store.md and 0010-postgresql.md.
"""

import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import mean, median, quantiles
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg

from benchmarks.query_corpus import Corpus, fill, write_corpus
from shared.embeddings.lexical import LexicalEncoder
from shared.models import DEFAULT_ORGANIZATION_ID
from shared.vector_store import pgvector, qdrant, qdrant_connection
from shared.vector_store.edge import EdgeVectorStore
from shared.vector_store.fingerprint import Fingerprint
from shared.vector_store.protocol import SearchRequest, VectorStore
from tests.postgres import local_postgres

DIMENSION = 384
QUESTIONS = 300
LIMIT = 20  # as the retriever asks: five passages, oversampled


@contextmanager
def stores() -> Iterator[dict[str, VectorStore]]:
    """All, empty; PostgreSQL without waiting for the disk, as Edge."""
    encoder = LexicalEncoder()
    made_with = Fingerprint(lexical=encoder.fingerprint, model="random", dimension=DIMENSION)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        url = stack.enter_context(local_postgres()).url("postgres")
        edge = EdgeVectorStore(folder / "edge", made_with, encoder.stems)
        postgres = pgvector.PgvectorStore(pgvector.connect(url), "bench", 1, made_with, encoder.stems)
        opened: dict[str, VectorStore] = {"Qdrant Edge": edge, "pgvector": postgres}
        if server := os.environ.get("QDRANT_URL"):
            client = qdrant_connection.connect(server, os.environ.get("QDRANT_API_KEY"))
            name = f"bench-{uuid4().hex[:12]}"
            opened["Qdrant server"] = qdrant.QdrantVectorStore(client, name, made_with, encoder.stems)
        for store in opened.values():
            stack.callback(store.close)
        if server:
            stack.callback(client.delete_collection, name)
        yield opened
        with psycopg.connect(url) as connection:
            size = (
                "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname IN ('bench-1', 'bench-1-counts')"
            )
            row = connection.execute(size).fetchone()
            print(f"pgvector on disk: {row[0] / 2**20 if row else 0:.0f} MiB")


def requests(corpus: Corpus) -> list[tuple[SearchRequest, SearchRequest]]:
    """For each question the search by words and the fused one, near a chunk at random."""
    encoder, chance = LexicalEncoder(), random.Random(1)
    made = []
    for question in corpus.questions[:QUESTIONS]:
        lex, vector = encoder.question(question), tuple(chance.choice(corpus.vectors).tolist())
        made.append(
            (
                SearchRequest(DEFAULT_ORGANIZATION_ID, lex, limit=LIMIT),
                SearchRequest(DEFAULT_ORGANIZATION_ID, lex, vector, limit=LIMIT),
            )
        )
    return made


def compare(size: int) -> None:
    corpus = write_corpus(size, DIMENSION)
    with stores() as opened:
        for name, store in opened.items():
            begun = time.perf_counter()
            fill(store, corpus)
            print(f"{size} chunks stored in {name}: {time.perf_counter() - begun:.1f} s")
        asked = requests(corpus)
        for kind, column in (("by words", 0), ("fused", 1)):
            times: dict[str, list[float]] = {name: [] for name in opened}
            best: dict[str, list[set[object]]] = {name: [] for name in opened}
            for request in (pair[column] for pair in asked):
                for name, store in opened.items():
                    begun = time.perf_counter()
                    found = store.search(request)
                    times[name].append((time.perf_counter() - begun) * 1000)
                    best[name].append({hit.chunk.id for hit in found[:10]})
            for name, each in times.items():
                print(f"{kind}, {name}: p50 {median(each):.1f} ms, p95 {quantiles(each, n=20)[-1]:.1f} ms")
            reference, *others = best
            for name in others:
                same = mean(len(a & b) / max(1, len(a)) for a, b in zip(best[reference], best[name], strict=True))
                print(f"{kind}, {name}: {same:.1%} of the best ten are those of {reference}")


if __name__ == "__main__":
    for wanted in sys.argv[1:] or ["1000", "10000"]:
        compare(int(wanted))
