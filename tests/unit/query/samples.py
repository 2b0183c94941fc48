"""Passages to test with."""

from uuid import UUID, uuid5

from query_service.answering.citations import Citer
from query_service.answering.protocol import AnswerRequest
from query_service.retrieval.retriever import Found
from query_service.words.terms import Rarity, WordReader, weigh
from shared.embeddings.lexical import LexicalEncoder
from shared.models import Chunk, ScoredChunk

INGEST = "http://ingest.test"
NAMESPACE = UUID("00000000-0000-4000-8000-00000000abcd")
encoder = LexicalEncoder()
reader = WordReader(encoder.stems)
citer = Citer(INGEST, reader)


def passage(text: str, *, document: str = "guia.pdf", score: float = 1.0, **more) -> ScoredChunk:
    start = more.pop("start", 0)
    index = more.pop("index", 0)
    chunk = Chunk(
        id=uuid5(NAMESPACE, f"{document}{start}{index}{text}"),
        document_id=uuid5(NAMESPACE, document),
        filename=document,
        title=more.pop("title", document),
        index=index,
        text=text,
        start=start,
        end=start + len(text),
        **more,
    )
    return ScoredChunk(chunk=chunk, score=score)


def found(question: str, *passages: ScoredChunk, counts: dict[str, int] | None = None, total: int = 100) -> Found:
    """As a retriever would have found them, in a corpus where unlisted words are rare."""
    return Found(passages, reader.asked(question), Rarity(counts or {}, total))


def request(question: str, *passages: ScoredChunk, history=(), language="pt", **more) -> AnswerRequest:
    weights = weigh(reader.asked(question), Rarity({}, 100))
    return AnswerRequest(question, language, passages, weights, history, **more)
