"""Which of the hits become passages: not five of one page, and nothing twice."""

from collections.abc import Sequence

from shared.models import Chunk, ScoredChunk

MIN_CHARS = 40
"""A rest shorter than this after trimming an overlap says nothing on its own."""


def choose(hits: Sequence[ScoredChunk], top_k: int, per_page: int) -> list[ScoredChunk]:
    """The best `top_k` hits with at most `per_page` of one page, and without text that a better hit holds already.

    The third passage of a page rarely adds what the page of another document does. A trimmed passage stays a literal
    slice of its chunk. Formats without pages have no limit per page.
    """
    chosen: list[ScoredChunk] = []
    for hit in hits:
        page = hit.chunk.page_start
        beside = [c for c in chosen if c.chunk.document_id == hit.chunk.document_id]
        if page is not None and sum(c.chunk.page_start == page for c in beside) >= per_page:
            continue
        rest = _without_overlaps(hit.chunk, [c.chunk for c in beside if c.chunk.version == hit.chunk.version])
        if rest is not None:
            chosen.append(hit if rest is hit.chunk else ScoredChunk(chunk=rest, score=hit.score))
        if len(chosen) == top_k:
            break
    return chosen


def _without_overlaps(chunk: Chunk, better: Sequence[Chunk]) -> Chunk | None:
    """The part of `chunk` that no better one covers; None when too little is left."""
    start, end = chunk.start, chunk.end
    for other in better:
        if other.start <= start < other.end:
            start = other.end
        if other.start < end <= other.end:
            end = other.start
    if (start, end) == (chunk.start, chunk.end):
        return chunk
    if end - start < MIN_CHARS:
        return None
    text = chunk.text[start - chunk.start : end - chunk.start]
    if len(text.strip()) < MIN_CHARS:
        return None
    return chunk.model_copy(update={"text": text, "start": start, "end": end})
