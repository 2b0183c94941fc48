"""How often answers without a language model hold the gold answer, and how often a question is rightly refused.

    python benchmarks/answer_quality.py --data DIR [--split dev] [--limit 400]

DIR holds one folder per set with `passages.jsonl` {"id", "title", "text"} and `questions.jsonl` {"question", "split",
"gold": [passage ids], "answers": [texts]}. For refusals the documents are halved by title, and each question is put to
the half that holds its passage (answerable) and to the other one (unanswerable). Tune on `dev`, report `test`.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from query_service.answering.citations import Citer
from query_service.answering.extractive import Extractive
from query_service.answering.sentence_scorer import score_sentences
from query_service.evidence import Evidence, EvidenceFinder
from query_service.retrieval.retriever import Retriever
from query_service.words.terms import WordReader
from shared.embeddings.folding import fold
from shared.embeddings.lexical import LexicalEncoder
from shared.models import DEFAULT_ORGANIZATION_ID, Chunk
from shared.settings import QuerySettings, RetrievalSettings, Settings
from shared.vector_store.bootstrap import open_store
from shared.vector_store.protocol import EmbeddedChunk

TOP_K = QuerySettings().top_k
THRESHOLDS = (0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
# Alternating titles leaves near-duplicates ("regulamento geral", twice) in both halves of FaQuAD, so that many
# "unanswerable" questions have an answer there. By subject they have none.
COMPUTING = frozenset(
    {
        *("COMPUTADOR", "CIENCIA DA COMPUTACAO", "ENGENHARIA DE COMPUTACAO", "TECNOLOGIA DA INFORMAÇAO"),
        *("ENGENHARIA DE SOFTWARE", "ANALISE DE SISTEMAS", "HISTORIA DA FACOM", "POSCOMP"),
    }
)

encoder = LexicalEncoder()
reader = WordReader(encoder.stems)


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    gold: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuestionSet:
    name: str
    passages: Mapping[str, Chunk]
    questions: Sequence[Question]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder per question set")
    parser.add_argument("--split", choices=["dev", "test"], default="test")
    parser.add_argument("--limit", type=int, default=500, help="questions of each set at most, drawn with a fixed seed")
    options = parser.parse_args()
    folders = sorted(file.parent for file in options.data.glob("*/passages.jsonl"))
    if not folders:
        print(f"No question set here: {options.data} has no folder with a passages.jsonl.", file=sys.stderr)
        return 1
    for folder in folders:
        data = read(folder, options.split, options.limit)
        print(f"{data.name}, {options.split}: {len(data.questions)} questions, {len(data.passages)} passages")
        extractive(data)
        titles = sorted({passage.title for passage in data.passages.values()})
        refusals(data, "titles in turn", set(titles[::2]))
        if set(titles) > COMPUTING:
            refusals(data, "by subject", COMPUTING)
    return 0


def extractive(data: QuestionSet) -> None:
    """The gold answer in the best sentence, in the best three, and in what a visitor is shown."""
    answerer = Extractive(reader, Citer("", reader))
    first = three = shown = sentences = 0
    with finder(list(data.passages.values())) as found:
        for question in data.questions:
            request = evidence(found, question.text).request
            ranked = score_sentences(question.text, request.weights, request.passages, reader)
            chosen = answerer.choose(request)
            first += _holds([one.text for one in ranked[:1]], question)
            three += _holds([one.text for one in ranked[:3]], question)
            shown += _holds([" ".join(one.text for one in chosen)], question)
            sentences += len(chosen)
    total = len(data.questions)
    print(
        f"  gold answer in the best sentence {100 * first / total:.1f} %, in the best three "
        f"{100 * three / total:.1f} %, in what is shown {100 * shown / total:.1f} % ({sentences / total:.2f} sentences)"
    )


def refusals(data: QuestionSet, name: str, half: set[str] | frozenset[str]) -> None:
    """Answerable questions kept and unanswerable ones refused, by the threshold QUERY__MIN_CONFIDENCE."""
    parts = [[p for p in data.passages.values() if (p.title in half) is side] for side in (True, False)]
    with finder(parts[0]) as inside, finder(parts[1]) as outside:
        own, other = [], []
        for question in data.questions:
            here, there = (inside, outside) if data.passages[question.gold].title in half else (outside, inside)
            own.append(evidence(here, question.text).verdict.confidence)
            other.append(evidence(there, question.text).verdict.confidence)
    print(f"  halves {name}: threshold, answerable kept %, unanswerable refused %")
    for threshold in THRESHOLDS:
        kept = 100 * sum(coverage >= threshold for coverage in own) / len(own)
        refused = 100 * sum(coverage < threshold for coverage in other) / len(other)
        print(f"    {threshold:.2f}  {kept:5.1f}  {refused:5.1f}", flush=True)


def evidence(found: EvidenceFinder, question: str) -> Evidence:
    return asyncio.run(found.find(DEFAULT_ORGANIZATION_ID, question, (), TOP_K))


@contextmanager
def finder(passages: Sequence[Chunk]) -> Iterator[EvidenceFinder]:
    """The service's own retrieval and verdict over a new store that holds the passages."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Settings(data_dir=Path(folder)), None)
        store.upsert([EmbeddedChunk(passage, encoder.passage(passage.text)) for passage in passages])
        for passage in passages:
            store.publish(passage.organization_id, passage.document_id, passage.version)
        yield EvidenceFinder(
            Retriever(store, lambda: None, encoder, reader, RetrievalSettings()),
            reader,
            min_confidence=QuerySettings().min_confidence,
        )
        store.close()


def read(folder: Path, split: str, limit: int) -> QuestionSet:
    questions = [
        Question(line["question"], line["gold"][0], tuple(_normal(answer) for answer in line["answers"]))
        for line in _lines(folder / "questions.jsonl")
        if line["split"] == split
    ]
    random.Random(0).shuffle(questions)
    passages = {
        line["id"]: _passage(line["id"], line["title"], line["text"]) for line in _lines(folder / "passages.jsonl")
    }
    return QuestionSet(folder.name, passages, questions[:limit])


def _holds(texts: Sequence[str], question: Question) -> bool:
    return any(answer in _normal(text) for answer in question.answers for text in texts)


def _normal(text: str) -> str:
    return " ".join(fold(text).split()).strip(". ")


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _passage(name: str, title: str, text: str) -> Chunk:
    one: UUID = uuid5(NAMESPACE_URL, name)
    return Chunk(id=one, document_id=one, filename=title, title=title, index=0, text=text, start=0, end=len(text))


if __name__ == "__main__":
    sys.exit(main())
