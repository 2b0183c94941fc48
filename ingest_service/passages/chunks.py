"""From a version's passages to the chunks that are stored: their ids, names, and what their vectors are made of."""

from collections.abc import Sequence
from uuid import UUID, uuid5

from ingest_service.documents.versions import Work
from ingest_service.names import title_of
from ingest_service.passages import chunking
from ingest_service.passages.chunking import Passage, searchable_text
from shared.models import Chunk

_CHUNKS = UUID("2f1d7c56-3f0b-4c43-9c3d-5a3f5a1f7c11")


def chunk_id(work: Work, index: int) -> UUID:
    """Derives from document, version, bytes and chunker: the same work gives the same ids."""
    name = f"{work.document_id}/{work.version}/{work.content_hash}/{chunking.FINGERPRINT}/{index}"
    return uuid5(_CHUNKS, name)


def chunks_of(work: Work, title: str, cut: Sequence[Passage]) -> list[Chunk]:
    return [
        Chunk(
            id=chunk_id(work, index),
            organization_id=work.organization_id,
            document_id=work.document_id,
            version=work.version,
            filename=work.name,
            title=title,
            index=index,
            text=passage.text,
            start=passage.start,
            end=passage.end,
            page_start=passage.page_start,
            page_end=passage.page_end,
            heading_path=passage.heading_path,
            media_type=work.media_type,
            context=passage.context,
        )
        for index, passage in enumerate(cut)
    ]


def renamed(work: Work, chunks: Sequence[Chunk]) -> list[Chunk]:
    """Stored chunks of the work under the name and title that it bears now."""
    names = {"filename": work.name, "title": title(work, work.own_title)}
    return [chunk.model_copy(update=names) for chunk in chunks]


def title(work: Work, own_title: str) -> str:
    """The title that a person gave, else the document's own, else one made of its name."""
    return work.title or own_title or title_of(work.name)


def searchable(chunk: Chunk) -> str:
    """What the vectors of a chunk are made of."""
    return searchable_text(chunk.title, chunk.heading_path, chunk.context, chunk.text)
