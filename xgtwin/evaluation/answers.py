"""Whether answers without a language model hold the gold answer, and whether their proof is one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

from query_service.answering.protocol import AnswerRequest
from query_service.answering.sentence_scorer import score_sentences
from query_service.events import Delta
from shared.embeddings.folding import fold
from shared.models import DEFAULT_ORGANIZATION_ID, Citation
from shared.settings import Settings
from xgtwin.evaluation.library import Library
from xgtwin.evaluation.ranking import mean
from xgtwin.evaluation.report import Failure, Table
from xgtwin.evaluation.sets import Question, QuestionSet

Texts = Mapping[UUID, Sequence[str]]
"""The chunks' texts by document."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a visitor is shown, and the passages' best sentences that it was chosen from."""

    refused: bool
    best_three: tuple[str, ...]
    shown: str
    citations: tuple[Citation, ...]


async def measure(data: QuestionSet, library: Library, settings: Settings) -> tuple[Table, list[Failure]]:
    """Over the questions whose gold answer is known. Answers are judged even where the verdict would refuse."""
    texts: dict[UUID, list[str]] = defaultdict(list)
    for entry in data.entries:
        texts[entry.chunk.document_id].append(entry.chunk.text)
    document_of = {entry.chunk.id: entry.chunk.document_id for entry in data.entries}
    finder = library.finder(settings.retrieval, settings.query)
    judged: list[tuple[float, ...]] = []
    failures: list[Failure] = []
    for question in data.questions:
        if not question.answers:
            continue
        evidence = await finder.find(DEFAULT_ORGANIZATION_ID, question.text, (), settings.query.top_k)
        answer = await _answer(evidence.request, library, refused=evidence.verdict.reason is not None)
        right = {document_of[chunk] for chunk in question.gold}
        judged.append(_judged(question, answer, texts, right))
        failures += _failures(question, answer, texts)
    columns = (*_JUDGED, "questions")
    shares = tuple(mean(column) for column in zip(*judged, strict=True))
    return Table(
        title="Answers without a language model", columns=columns, rows=(("all", (*shares, len(judged))),)
    ), failures


async def _answer(request: AnswerRequest, library: Library, *, refused: bool) -> Answer:
    if not request.passages:
        return Answer(refused, (), "", ())
    ranked = score_sentences(request.question, request.weights, request.passages, library.reader)
    text, citations = "", []
    async with aclosing(library.extractive().answer(request)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Delta):
                text += piece.text
            elif isinstance(piece, Citation):
                citations.append(piece)
    return Answer(refused, tuple(one.text for one in ranked[:3]), text, tuple(citations))


_JUDGED = ("best sentence", "best three", "shown", "shown and not refused", "quotes literal", "gold document cited")


def _judged(question: Question, answer: Answer, texts: Texts, right: set[UUID]) -> tuple[float, ...]:
    """A value for each of `_JUDGED`. Without a citation nothing is proved."""
    shown = holds(answer.shown, question)
    return (
        holds(" ".join(answer.best_three[:1]), question),
        any(holds(text, question) for text in answer.best_three),
        shown,
        shown and not answer.refused,
        bool(answer.citations) and all(_literal(citation, texts) for citation in answer.citations),
        any(citation.document_id in right for citation in answer.citations),
    )


def _failures(question: Question, answer: Answer, texts: Texts) -> list[Failure]:
    def failure(kind: str, expected: str, got: str) -> Failure:
        return Failure(kind=kind, question_id=question.id, question=question.text, expected=expected, got=got)

    quotes = [citation.quote for citation in answer.citations if not _literal(citation, texts)]
    found = [failure("quote that is not literal", "a slice of the document", quote) for quote in quotes]
    if not holds(answer.shown, question):
        found.append(failure("answer without the gold answer", question.answers[0], answer.shown))
    return found


def _literal(citation: Citation, texts: Texts) -> bool:
    """Whether the quote stands word for word in the document that the citation names."""
    return bool(citation.quote) and any(citation.quote in text for text in texts[citation.document_id])


def holds(text: str, question: Question) -> bool:
    """Whether a gold answer stands in `text`, accents, capitals, white space and the last full stop aside."""
    folded = normal(text)
    return any(normal(answer) in folded for answer in question.answers)


def normal(text: str) -> str:
    return " ".join(fold(text).split()).strip(". ")
