"""Answering without a language model: the documents' own sentences, chosen and put into readable order."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from itertools import groupby

from query_service.answering.protocol import AnswerRequest
from query_service.answering.sentence_scorer import Candidate, score_sentences
from query_service.citations import Citer
from query_service.events import Delta, Usage
from query_service.plain_text import plain
from query_service.sentences import Span, is_item, sentences, without_marker
from query_service.terms import WordReader
from shared.embeddings.folding import fold
from shared.models import Citation, ScoredChunk

MODEL = "extractive"
SENTENCES = 3
RELEVANT = 0.5
"""A sentence with less than this part of the best one's score distracts more often than it helps."""
LIST_CHARS = 600
"""A list is shown with the sentence that announces it up to this length."""

_ENDS = re.compile(r"[.!…][\"'”’»)\]*_`]*\Z")
_BEGINS = re.compile(r"[\"'“‘«(\[*_`]*[A-ZÀ-ÖØ-Þ0-9]")


@dataclass(frozen=True, slots=True)
class _Chosen:
    passage: int
    span: Span
    text: str


class Extractive:
    """`Answerer` over the sentence scorer. Always answers when there is a passage."""

    model = MODEL

    def __init__(self, reader: WordReader, citer: Citer) -> None:
        self._reader = reader
        self._citer = citer

    async def answer(self, request: AnswerRequest) -> AsyncGenerator[Delta | Citation | Usage, None]:
        chosen = await asyncio.to_thread(self.choose, request)
        for position, one in enumerate(chosen):
            yield Delta(text=f"{' ' if position else ''}{one.text} [{one.passage + 1}]")
        for number, used in groupby(chosen, key=lambda one: one.passage):
            spans = [one.span for one in used]
            whole = Span(spans[0].start, spans[-1].end)
            yield self._citer.cite(number + 1, request.passages[number], whole)

    def choose(self, request: AnswerRequest) -> list[_Chosen]:
        """At most three sentences: the passage of the best one first, within a passage as they stand there."""
        ranked = score_sentences(request.question, request.weights, request.passages, self._reader)
        best = _pick(ranked, request.passages)
        order = list(dict.fromkeys(candidate.passage for candidate in best))
        best.sort(key=lambda candidate: (order.index(candidate.passage), candidate.span.start))
        return [_shown(candidate, request.passages[candidate.passage].chunk.text) for candidate in best]


def _pick(ranked: Sequence[Candidate], passages: Sequence[ScoredChunk]) -> list[Candidate]:
    """Whole sentences if there are any; pieces such as slide bullets otherwise."""
    usable = [candidate for candidate in ranked if _says_something(candidate.text)]
    whole = [one for one in usable if _is_whole(one, passages[one.passage].chunk.text)]
    picked: list[Candidate] = []
    seen: set[str] = set()
    for candidate in whole or usable or ranked:
        key = fold(plain(candidate.text))
        if key in seen:
            continue
        if picked and (len(picked) == SENTENCES or candidate.score < RELEVANT * picked[0].score):
            break
        seen.add(key)
        picked.append(candidate)
    return picked


def _says_something(text: str) -> bool:
    """No question, no heading, no table row, no stump of two words."""
    return not text.endswith("?") and not text.startswith("#") and text.count("|") < 2 and len(text.split()) >= 3


def _is_whole(candidate: Candidate, text: str) -> bool:
    """Begins and ends as a sentence does, or announces a list."""
    body = without_marker(candidate.text)
    if not _ENDS.search(body) and not body.endswith(":"):
        return False
    # A small letter is fine where a paragraph begins ("eMBB: ..."), not in list items or where the chunk was cut.
    first = not text[: candidate.span.start].strip()
    return bool(_BEGINS.match(body)) or not (is_item(candidate.text) or first)


def _shown(candidate: Candidate, text: str) -> _Chosen:
    """The sentence as it is read; one that announces a list comes with the list."""
    span = candidate.span
    parts = [without_marker(candidate.text)]
    if candidate.text.endswith(":"):
        for item in sentences(text):
            piece = text[item.start : item.end]
            if item.start < span.end:
                continue
            if not is_item(piece) or item.end - candidate.span.start > LIST_CHARS:
                break
            parts.append(without_marker(piece))
            span = Span(span.start, item.end)
    shown = plain(" ".join(parts))
    return _Chosen(candidate.passage, span, shown if _ENDS.search(shown) else shown.rstrip(" ;:,") + ".")
