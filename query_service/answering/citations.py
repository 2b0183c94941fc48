"""Proof: which passage and which literal words stand behind an answer's `[n]`."""

import re
from collections.abc import Sequence

from query_service.answering.refusals import refuses
from query_service.answering.sentence_scorer import coverage
from query_service.events import content_url, page_image_url
from query_service.words.sentences import Span, sentences
from query_service.words.terms import Rarity, WordReader, weigh
from shared.models import Citation, ScoredChunk

_BLANKS = re.compile(r"[ \t]{51,}")
"""More in a row say nothing, and would be looked at again with each piece: a model may send them for ever."""
_MARKER = re.compile(r"([ \t]*)[\[【]\s*(\d{1,9}(?:\s*(?:[,;–-]|e|and)\s*\d{1,9})*)\s*[\]】]")
_UNFINISHED = re.compile(r"[ \t]*(?:[\[【][\d\s,;–eand-]{0,40})?\Z")
_RANGE = re.compile(r"(\d+)(?:\s*[–-]\s*(\d+))?")
_NUMBER = re.compile(r"\[(\d+)\]")
CLAIM_CHARS = 400
"""Before a marker, in which the sentence that it stands behind is looked for."""
_EVEN = Rarity({}, 0)
"""Every word of a claim weighs the same: here the claim is matched, not searched."""


class MarkerFilter:
    """Lets text through as it streams, except markers that prove nothing: of no passage, or behind a refusal.

    `[1, 2]`, `[1 e 2]`, `[1-2]` and `【1】【2】` become `[1][2]`.
    """

    def __init__(self, passages: int) -> None:
        self._passages = passages
        self._held = ""
        self._before = ""

    def feed(self, piece: str) -> str:
        """The text that is certain so far; what may be the beginning of a marker is held back.

        If the text ends with that, it is never said.
        """
        text = _MARKER.sub(self._valid, _BLANKS.sub(" " * 50, self._held + piece))
        unfinished = _UNFINISHED.search(text)
        cut = unfinished.start() if unfinished else len(text)
        self._held = text[cut:]
        self._before = (self._before + text[:cut])[-CLAIM_CHARS:]
        return text[:cut]

    def _valid(self, marker: re.Match[str]) -> str:
        claim = _last_sentence((self._before + marker.string[: marker.start()])[-CLAIM_CHARS:])
        kept: dict[int, None] = {}
        for first, last in _RANGE.findall(marker[2]):
            begin, end = int(first), int(last or first)
            kept |= dict.fromkeys(range(max(begin, 1), min(end, self._passages) + 1))
        return marker[1] + "".join(f"[{number}]" for number in kept) if kept and not refuses(claim) else ""


class Citer:
    """Makes citations whose quote is a literal slice of the chunk."""

    def __init__(self, ingest_url: str, reader: WordReader) -> None:
        self._ingest_url = ingest_url
        self._reader = reader

    def cite(self, n: int, passage: ScoredChunk, span: Span) -> Citation:
        chunk = passage.chunk
        return Citation(
            n=n,
            quote=chunk.text[span.start : span.end],
            score=round(passage.score, 4),
            url=content_url(self._ingest_url, chunk.document_id, chunk.page_start),
            page_image=page_image_url(self._ingest_url, chunk, span.start, span.end),
            document_id=chunk.document_id,
            version=chunk.version,
            title=chunk.title,
            filename=chunk.filename,
            page_start=chunk.page_start,
            page_end=chunk.page_end,
            heading_path=chunk.heading_path,
        )

    def support(self, answer: str, passages: Sequence[ScoredChunk]) -> list[Citation]:
        """One citation for each passage that `answer` points to, in order of first mention.

        The quote is the sentence of the passage that is closest to what the marker stands behind.
        """
        found: dict[int, Citation] = {}
        begin = 0
        for marker in _NUMBER.finditer(answer):
            n = int(marker[1])
            claim = _last_sentence(answer[begin : marker.start()]) or _last_sentence(answer[: marker.start()])
            if n not in found and 1 <= n <= len(passages):
                passage = passages[n - 1]
                found[n] = self.cite(n, passage, self._closest(_NUMBER.sub("", claim), passage.chunk.text))
            if not answer[marker.end() :].startswith("["):
                begin = marker.end()
        return list(found.values())

    def _closest(self, claim: str, text: str) -> Span:
        weights = weigh(self._reader.words(claim), _EVEN)
        spans = list(sentences(text)) or [Span(0, len(text))]
        return max(spans, key=lambda span: coverage(weights, self._reader.features(text[span.start : span.end])))


def _last_sentence(text: str) -> str:
    spans = list(sentences(text))
    return text[spans[-1].start : spans[-1].end] if spans else ""
