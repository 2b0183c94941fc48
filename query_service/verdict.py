"""Do the passages answer the question? Decided by words, before anything is written."""

from dataclasses import dataclass

from query_service.answering.answer_kind import CONTACTS, asked_kind, holds_kind
from query_service.confidence import JUDGED, confidence
from query_service.events import Reason
from query_service.retrieval.retriever import Found
from query_service.words.terms import WordReader

NEAR_CONFIDENCE, NEAR_STEMS = 0.2, 2
"""From here on a refusal shows the nearest passage. Two words in common: one is shared by chance ("capital")."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is None when the passages are trusted; `confidence` (0 to 1) is what it was decided on.

    `near`: too little for an answer, but enough that a visitor who used other words than the document would want to
    see the passage (docs/answering.md has the figures).
    """

    confidence: float
    reason: Reason | None
    near: bool = False


def judge(question: str, found: Found, reader: WordReader, min_confidence: float) -> Verdict:
    """`no_evidence` when nothing is there, `low_score` when too little is."""
    shared = _shared_words(found, reader)
    if not found.passages or (shared == 0 and not found.semantic):
        return Verdict(0.0, Reason.NO_EVIDENCE)
    chance = confidence(question, found, reader)
    if _lacks_the_contact(question, found, reader):
        return Verdict(chance, Reason.LOW_SCORE)
    if chance >= min_confidence:
        return Verdict(chance, None)
    return Verdict(chance, Reason.LOW_SCORE, near=chance >= NEAR_CONFIDENCE and shared >= NEAR_STEMS)


def _lacks_the_contact(question: str, found: Found, reader: WordReader) -> bool:
    """Whether a phone number or an address is asked for, and none is there."""
    kind = asked_kind(question)
    asked = {word.stem for word in found.words}
    texts = [passage.chunk.text for passage in found.passages[:JUDGED]]
    return kind in CONTACTS and not any(holds_kind(kind, text, asked, reader) for text in texts)


def _shared_words(found: Found, reader: WordReader) -> int:
    """How many of the question's words the passage with most of them holds."""
    asked = {word.stem: word for word in found.words}.values()
    texts = (f"{p.chunk.title} {' '.join(p.chunk.heading_path)} {p.chunk.text}" for p in found.passages)
    held = [reader.features(text).stems for text in texts]
    return max((sum(word.said_with(stems) for word in asked) for stems in held), default=0)
