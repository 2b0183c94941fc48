"""Which sentences of the passages answer the question: a linear score, measured on FaQuAD (docs/answering.md)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from query_service.answering.answer_kind import asked_kind, holds_kind
from query_service.answering.pieces import Kind, pieces
from query_service.retrieval.definition import opening
from query_service.words.sentences import Span
from query_service.words.terms import Features, Weights, WordReader, share
from shared.embeddings.folding import fold
from shared.models import ScoredChunk

# Fitted on the dev half of FaQuAD; the score is flat around these values.
SURFACE, BIGRAM, GRAM, ANSWER_TYPE, DEFINITION = 0.5, 0.5, 0.5, 0.4, 0.4
PASSAGE = 1.15
"""Of the passage's score over the best one's: above 1.5 the best sentence of a good passage crowds out better ones."""
FULL_COVERAGE = 1 + SURFACE + BIGRAM + GRAM
HEADING, QUESTION_HEADING, LEADING = 0.3, 0.8, 0.25
"""Weights of what a sentence leans on: the heading above it, more so when that asks as an FAQ does; and the sentence
before it, when that asks or when the sentence begins with a word that points back ("Foi fundada em 1865.")."""

_POINTS_BACK = re.compile(
    r"(?:el[ea]s?|iss[oa]|ess[ea]s?|est[ea]s?|isto|nel[ea]s?|del[ea]s?|foi|foram|era|eram|sao|e|tem|fica|sim|nao|seus?|suas?|"
    r"it|he|she|they|this|these|its|yes)\b"
)
_DEFINED = re.compile(
    r"\b(?:é|são|foi|eram?|significa|chama-se|consiste|trata-se|is|are|was|means)\b|[:(]", re.IGNORECASE
)
_ASKS_DEFINITION = re.compile(
    r"\b(?:que|o ?q) (?:e|eh|sao|significa|vem a ser|quer dizer)\b|\bquem (?:e|foi)\b|\b(?:para|pra) que servem?\b"
    r"|\bqual (?:e )?(?:o objetivo|a (?:funcao|finalidade))\b|\bwh(?:at|o) (?:is|are|was)\b"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence with its place: the passage (from 0) and the span inside its chunk's text; `text` is for reading."""

    passage: int
    span: Span
    text: str
    score: float
    kind: Kind
    points_back: bool


def coverage(weights: Weights, features: Features) -> float:
    """How much of the question's words, word pairs and word pieces a text holds: 0 to 2.5."""
    features = weights.translated(features)
    return (
        share(weights.stems, features.stems)
        + SURFACE * share(weights.surfaces, features.surfaces)
        + BIGRAM * share(weights.bigrams, features.bigrams)
        + GRAM * share(weights.grams, features.grams)
    )


def score_sentences(
    question: str, weights: Weights, passages: Sequence[ScoredChunk], reader: WordReader
) -> list[Candidate]:
    """Every sentence of the passages with its score, best first."""
    kind = asked_kind(question)
    defines = asks_definition(question)
    top = max((passage.score for passage in passages), default=0.0) or 1.0
    scored: list[Candidate] = []
    for number, passage in enumerate(passages):
        title = passage.chunk.heading_path[-1] if passage.chunk.heading_path else ""
        asked_above = QUESTION_HEADING if title.endswith("?") else HEADING
        heading = asked_above * coverage(weights, reader.features(" ".join(passage.chunk.heading_path)))
        before, asked = 0.0, False
        for piece in pieces(passage.chunk.text, passage.chunk.context):
            own = coverage(weights, reader.features(piece.text))
            bonus = ANSWER_TYPE if kind and holds_kind(kind, piece.text, weights.stems.keys(), reader) else 0.0
            if defines and _begins_with(weights, piece.text, reader):
                bonus += DEFINITION
            back = _POINTS_BACK.match(fold(piece.text)) is not None
            leans = LEADING * before if asked or back else 0.0
            score = own + heading + leans + PASSAGE * passage.score / top + bonus
            scored.append(Candidate(number, piece.span, piece.text, score, piece.kind, back))
            before, asked = own, piece.text.endswith("?")
    return sorted(scored, key=lambda candidate: (-candidate.score, candidate.passage, candidate.span.start))


def asks_definition(question: str) -> bool:
    """What something is, or what it is for."""
    return _ASKS_DEFINITION.search(fold(question)) is not None or bool(opening(question))


def _begins_with(weights: Weights, sentence: str, reader: WordReader) -> bool:
    """Whether the sentence says at its beginning what its subject is, the subject being what is asked about."""
    verb = _DEFINED.search(sentence)
    return (
        verb is not None
        and share(weights.stems, weights.said({w.stem for w in reader.words(sentence[: verb.start()])})) > 0.99
    )
