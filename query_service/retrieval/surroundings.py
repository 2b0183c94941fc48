"""What stands right before and after the passages in their documents."""

from collections.abc import Sequence

from query_service.answering.protocol import Surroundings
from shared.models import Chunk, ScoredChunk
from shared.vector_store.protocol import VectorStore


def surroundings(passages: Sequence[ScoredChunk], store: VectorStore) -> tuple[Surroundings, ...]:
    """One for each passage, without text that a passage holds or that stands beside a better one already.

    Raises `Unavailable` when the store does not answer.
    """
    chunks = [passage.chunk for passage in passages]
    left = {(chunk.document_id, chunk.version, chunk.index): chunk for chunk in store.neighbours(chunks)}

    def beside(chunk: Chunk, index: int) -> Chunk | None:
        return left.pop((chunk.document_id, chunk.version, index), None)

    around: list[Surroundings] = []
    for chunk in chunks:
        before, after = beside(chunk, chunk.index - 1), beside(chunk, chunk.index + 1)
        around.append(
            Surroundings(
                # Chunks overlap: only what the passage does not begin or end with.
                before=before.text[: max(0, chunk.start - before.start)].strip() if before else "",
                after=after.text[max(0, chunk.end - after.start) :].strip() if after else "",
            )
        )
    return tuple(around)
