"""A synthetic Portuguese corpus of any size, and questions about it, for benchmarks/query.py."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from query_service.words.sentences import sentences
from shared.embeddings.lexical import LexicalEncoder
from shared.models import DEFAULT_ORGANIZATION_ID, Chunk
from shared.settings import IngestSettings
from shared.vector_store.protocol import EmbeddedChunk, VectorStore
from tests.corpus.sentences import Author
from xgtwin.evaluation.documents import read_documents

ROOT = Path(__file__).parents[1]
WORDS = 105
"""Of a chunk, as the product cuts them."""
CHUNKS_PER_DOCUMENT, CHUNKS_PER_PAGE = 200, 3
NAMES_PER_AUTHOR = 1300
BATCH = 64


@dataclass(frozen=True, slots=True)
class Corpus:
    """`vectors`: (chunks, dimension), random unit vectors, since an exhaustive search takes the same time for any."""

    texts: list[str]
    vectors: NDArray[np.float32]
    questions: list[str]


def write_corpus(size: int, dimension: int) -> Corpus:
    """Chunks of sentences drawn from the sample documents, so that words are as frequent as there, and one fact each.

    Half of the questions ask for a fact, the others are those that visitors ask about the sample documents.
    """
    chance = random.Random(size)
    known = _sample_sentences()
    texts, about_facts = [], []
    for number in range(size):
        if number % NAMES_PER_AUTHOR == 0:
            author = Author(number)
        fact = author.fact()
        parts = [fact.text]
        while sum(len(part.split()) for part in parts) < WORDS:
            parts.append(chance.choice(known))
        chance.shuffle(parts)
        texts.append(" ".join(parts))
        about_facts.append(fact.question)
    vectors = np.random.default_rng(size).standard_normal((size, dimension), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    lines = (ROOT / "tests/data/questions_watched_docs.jsonl").read_text(encoding="utf-8").splitlines()
    by_visitors = [json.loads(line)["question"] for line in lines]
    questions = chance.sample(about_facts, min(size, 1000)) + by_visitors
    chance.shuffle(questions)
    return Corpus(texts, vectors, questions)


def fill(store: VectorStore, corpus: Corpus) -> None:
    """Store and publish the corpus as ingestion does."""
    encoder = LexicalEncoder()
    for start in range(0, len(corpus.texts), BATCH):
        rows = range(start, min(start + BATCH, len(corpus.texts)))
        store.upsert(
            [
                EmbeddedChunk(
                    chunk(row, corpus.texts[row]),
                    encoder.passage(corpus.texts[row]),
                    tuple(corpus.vectors[row].tolist()),
                )
                for row in rows
            ]
        )
    for document in range(0, len(corpus.texts), CHUNKS_PER_DOCUMENT):
        store.publish(DEFAULT_ORGANIZATION_ID, _document(document), 1)


def chunk(row: int, text: str) -> Chunk:
    index = row % CHUNKS_PER_DOCUMENT
    page = index // CHUNKS_PER_PAGE + 1
    start = index * 10_000  # apart: nothing overlaps
    return Chunk(
        id=uuid5(NAMESPACE_URL, f"chunk {row}"),
        document_id=_document(row),
        filename=f"relatorio-{row // CHUNKS_PER_DOCUMENT}.pdf",
        title=f"Relatório {row // CHUNKS_PER_DOCUMENT}",
        index=index,
        text=text,
        start=start,
        end=start + len(text),
        page_start=page,
        page_end=page,
    )


def _document(row: int) -> UUID:
    return uuid5(NAMESPACE_URL, f"document {row // CHUNKS_PER_DOCUMENT}")


def _sample_sentences() -> Sequence[str]:
    def found() -> Iterator[str]:
        for entry in read_documents(ROOT / "watched_docs", IngestSettings(), None):
            text = entry.chunk.text
            for span in sentences(text):
                yield " ".join(text[span.start : span.end].split())

    return sorted({sentence for sentence in found() if 5 <= len(sentence.split()) <= 50})
