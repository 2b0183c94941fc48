"""How well questions find their passage: recall, MRR and nDCG over question sets, by the product's own store.

    python benchmarks/retrieval_quality.py --data DIR [--split dev] [--model NAME --model-dir DIR]

DIR holds one folder per set with `passages.jsonl` {"id", "title", "text"} and `questions.jsonl` {"question", "split",
"gold": [passage ids]}. Tune on `dev`, report `test`. With a model, the fused search is measured by dense weight.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.embeddings.fastembed_embedder import FastembedEmbedder
from shared.embeddings.folding import fold
from shared.embeddings.lexical import LexicalEncoder
from shared.embeddings.protocol import Embedder
from shared.models import DEFAULT_ORGANIZATION_ID, Chunk
from shared.vector_store.edge import EdgeVectorStore
from shared.vector_store.fingerprint import Fingerprint
from shared.vector_store.protocol import EmbeddedChunk, SearchRequest, VectorStore

DEPTH = 10
DENSE_WEIGHTS = (2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    gold: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class QuestionSet:
    name: str
    passages: list[Chunk]
    questions: list[Question]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder per question set")
    parser.add_argument("--split", choices=["dev", "test", "all"], default="all")
    parser.add_argument("--model", default="intfloat/multilingual-e5-small", help="embedding model in --model-dir")
    parser.add_argument("--model-dir", type=Path, help="measure the fused search too, with the model in this folder")
    options = parser.parse_args()
    folders = sorted(file.parent for file in options.data.glob("*/passages.jsonl"))
    if not folders:
        print(f"No question set here: {options.data} has no folder with a passages.jsonl.", file=sys.stderr)
        return 1
    embedder = FastembedEmbedder(options.model, options.model_dir) if options.model_dir else None
    print(f"{'set':<12}{'search':<24}{'questions':>10}{'R@1':>7}{'R@5':>7}{'MRR@10':>8}{'nDCG@10':>9}")
    for folder in folders:
        measure(read(folder, options.split), embedder)
    return 0


def measure(data: QuestionSet, embedder: Embedder | None) -> None:
    encoder = LexicalEncoder()
    with stored(data.passages, encoder, embedder) as store:

        def by_words(question: str) -> SearchRequest:
            return SearchRequest(DEFAULT_ORGANIZATION_ID, encoder.question(question), limit=DEPTH)

        report(data, "lex", store, by_words)
        report(data, "lex, no accents", store, lambda question: by_words(fold(question)))
        if embedder is None:
            return
        vectors = {question.text: embedder.embed_question(question.text) for question in data.questions}
        for weight in DENSE_WEIGHTS:

            def fused(question: str, weight: float = weight) -> SearchRequest:
                lex = encoder.question(question)
                return SearchRequest(DEFAULT_ORGANIZATION_ID, lex, vectors[question], weight, limit=DEPTH)

            report(data, f"lex + {weight:g} x cosine", store, fused)


def report(data: QuestionSet, search: str, store: VectorStore, ask: Callable[[str], SearchRequest]) -> None:
    """One line of the table, in per cent. A question may have several right passages."""
    first = five = reciprocal = gain = 0.0
    for question in data.questions:
        found = store.search(ask(question.text))
        ranks = [rank for rank, hit in enumerate(found, start=1) if hit.chunk.id in question.gold]
        if ranks:
            first += ranks[0] == 1
            five += ranks[0] <= 5
            reciprocal += 1 / ranks[0]
            gain += _gain(ranks) / _gain(range(1, min(DEPTH, len(question.gold)) + 1))
    means = [100 * total / len(data.questions) for total in (first, five, reciprocal, gain)]
    figures = "{:>7.1f}{:>7.1f}{:>8.1f}{:>9.1f}".format(*means)
    print(f"{data.name:<12}{search:<24}{len(data.questions):>10}{figures}", flush=True)


def _gain(ranks: Sequence[int]) -> float:
    return sum(1 / math.log2(rank + 1) for rank in ranks)


@contextmanager
def stored(passages: list[Chunk], encoder: LexicalEncoder, embedder: Embedder | None) -> Iterator[VectorStore]:
    """A new store that holds the passages, gone afterwards."""
    name, dimension = (embedder.name, embedder.dimension) if embedder else (None, None)
    vectors = embedder.embed_passages([passage.text for passage in passages]) if embedder else None
    with tempfile.TemporaryDirectory() as folder:
        fingerprint = Fingerprint(lexical=encoder.fingerprint, model=name, dimension=dimension)
        store = EdgeVectorStore(Path(folder) / "shard", fingerprint, encoder.stems)
        store.upsert(
            [
                EmbeddedChunk(passage, encoder.passage(passage.text), next(vectors) if vectors else None)
                for passage in passages
            ]
        )
        for passage in passages:
            store.publish(passage.organization_id, passage.document_id, passage.version)
        yield store
        store.close()


def read(folder: Path, split: str) -> QuestionSet:
    """A passage is known by its words: FaQuAD repeats some in other capitals, and either copy answers."""
    chunks = {line["id"]: _chunk(line["title"], line["text"]) for line in _lines(folder / "passages.jsonl")}
    return QuestionSet(
        name=folder.name,
        passages=list({chunk.id: chunk for chunk in chunks.values()}.values()),
        questions=[
            Question(line["question"], frozenset(chunks[gold].id for gold in line["gold"]))
            for line in _lines(folder / "questions.jsonl")
            if split in ("all", line["split"])
        ],
    )


def _lines(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _chunk(title: str, text: str) -> Chunk:
    one = uuid5(NAMESPACE_URL, fold(text))
    return Chunk(id=one, document_id=one, filename=title, title=title, index=0, text=text, start=0, end=len(text))


if __name__ == "__main__":
    sys.exit(main())
