"""What happens while a question is answered, in order: `Meta Sources Delta* Citation* Usage Done`.

The JSON answer is the last event, the stream is all of them.
"""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from shared.models import PAGE_IMAGE_TYPES, Chunk, Citation, Frozen, ScoredChunk


class Reason(StrEnum):
    """Why an answer is not grounded, or, for `llm_unavailable`, why it is not the one that was configured."""

    NO_EVIDENCE = "no_evidence"
    """Nothing was retrieved, or the language model found no proof in what was."""
    LOW_SCORE = "low_score"
    """Passages were retrieved, but they hold too few of the question's telling words."""
    PENDING_DOCUMENTS = "pending_documents"
    """Nothing good was found, and documents are still being read: asking again later may help."""
    LLM_UNAVAILABLE = "llm_unavailable"
    """The language model did not answer; what is given comes from the documents' own sentences, if anything does."""


class Meta(Frozen):
    """Where this answer will be kept, and who is expected to write it."""

    conversation_id: UUID
    message_id: UUID
    model: str
    standalone_question: str | None = None


class Source(Frozen):
    """A passage that the answer may rest on; `[n]` in the answer points to it."""

    n: int
    document_id: UUID
    title: str
    filename: str
    page_start: int | None
    page_end: int | None
    heading_path: tuple[str, ...]
    score: float
    url: str


class Sources(Frozen):
    sources: tuple[Source, ...]


class Delta(Frozen):
    """The next piece of the answer's text."""

    text: str


class Sentence(Frozen):
    """A sentence of the answer and whether the documents hold it: `answer[start:end]`, its markers included."""

    text: str
    start: int
    end: int
    citations: tuple[int, ...] = Field(description="The `[n]` in it.")
    supported: bool = Field(
        description="Whether the passages it cites (all of them, if it cites none) hold its words, numbers and names."
    )


class Usage(Frozen):
    """Tokens, as the language model's server counted them; zero when none was asked or it does not say."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class Timings(Frozen):
    """Milliseconds: reading the conversation, finding passages, writing the answer, everything."""

    understand: float = 0.0
    retrieve: float
    answer: float
    total: float


class Done(Frozen):
    """The whole answer: the body of `POST /ask`."""

    answer: str
    grounded: bool
    reason: Reason | None = Field(description="Null when grounded, except `llm_unavailable` after a fallback.")
    citations: tuple[Citation, ...]
    sentences: tuple[Sentence, ...] = Field(
        (), description="What the answer says of the documents, sentence by sentence; our own words are left out."
    )
    conversation_id: UUID
    message_id: UUID
    model: str = Field(description="The language model's name, or `extractive` for the documents' own sentences.")
    usage: Usage
    timings_ms: Timings
    speech: str = Field(description="The answer for a voice: short, no Markdown, no [n].")
    cached: bool = Field(False, description="Given before, word for word, to the same question over these documents.")
    standalone_question: str | None = Field(
        None, description="What was searched for, where a question needed the conversation to be understood."
    )


Event = Meta | Sources | Delta | Citation | Usage | Done


def content_url(ingest_url: str, document_id: UUID, page: int | None) -> str:
    """Where the ingest service shows the document, opened at the page where one is known."""
    return f"{ingest_url}/documents/{document_id}/content" + (f"#page={page}" if page else "")


def page_image_url(ingest_url: str, chunk: Chunk, start: int, end: int) -> str:
    """Where the ingest service shows the page with `chunk.text[start:end]` marked; empty for kinds without pages."""
    if chunk.media_type not in PAGE_IMAGE_TYPES or chunk.page_start is None:
        return ""
    place = f"{chunk.start + start}-{chunk.start + end}&version={chunk.version}"
    return f"{ingest_url}/documents/{chunk.document_id}/pages/{chunk.page_start}.png?highlight={place}"


def sources_of(passages: Sequence[ScoredChunk], ingest_url: str) -> Sources:
    return Sources(
        sources=tuple(
            Source(
                n=n,
                score=round(passage.score, 4),
                url=content_url(ingest_url, passage.chunk.document_id, passage.chunk.page_start),
                **passage.chunk.model_dump(include=_SHOWN),
            )
            for n, passage in enumerate(passages, 1)
        )
    )


_SHOWN = {"document_id", "title", "filename", "page_start", "page_end", "heading_path"}
