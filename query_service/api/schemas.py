"""The shapes of questions and searches. What is wrong with a question is said here, once."""

import re
import unicodedata
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from shared.errors import Unprocessable
from shared.models import Filters, ScoredChunk, comparable

MAX_FILTER_VALUES = 100
MAX_FILTER_KEYS = 20
USER_CHARS = 128
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")  # lone surrogates too: no text can hold them
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_KNOWN_FILTERS = ("document_ids", "collections", "languages", "metadata", "date_from", "date_to")


def _known_filters(value: Any) -> Any:
    if isinstance(value, dict) and (unknown := sorted(str(name) for name in set(value).difference(_KNOWN_FILTERS))):
        names = ", ".join(unknown).encode("utf-8", "replace").decode()  # JSON can name half a character, errors cannot
        raise ValueError(f"there is no filter {names}; there are {', '.join(_KNOWN_FILTERS)}")
    return value


def _storable(text: str) -> str:
    if _SURROGATE.search(text):
        raise ValueError("it holds half a character (a lone surrogate)")
    return text


def without_controls(text: str) -> str:
    """Databases refuse NUL, and nobody means the others."""
    return _CONTROL.sub(" ", text)


Text = Annotated[str, AfterValidator(_storable)]
User = Annotated[
    Text | None,
    Field(
        min_length=1,
        max_length=USER_CHARS,
        description="Who asks, in any opaque form; only its hash is kept. Lists can be narrowed to it, and only this "
        "user can continue the conversation by naming a user.",
    ),
]
Value = Text | int | float | bool
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2}$")]


class GivenFilters(BaseModel):
    """Which documents to look into: every condition must hold, the values of one are alternatives."""

    document_ids: list[UUID] = Field([], max_length=MAX_FILTER_VALUES)
    collections: list[Text] = Field([], max_length=MAX_FILTER_VALUES)
    languages: list[Language] = Field([], max_length=MAX_FILTER_VALUES, description='Two letters each: ["pt", "en"].')
    metadata: dict[Text, Value | Annotated[list[Value], Field(min_length=1)]] = Field(
        {}, max_length=MAX_FILTER_KEYS, description='{"curso": "TP555"}, or {"ano": [2025, 2026]} for either.'
    )
    date_from: date | None = Field(None, description="First day, as 2026-05-01.")
    date_to: date | None = Field(None, description="Last day, inclusive.")

    def meaning(self) -> Filters:
        """As the search takes them."""
        return Filters(
            document_ids=tuple(self.document_ids),
            collections=tuple(self.collections),
            languages=tuple(code.lower() for code in self.languages),
            metadata={
                key: tuple(comparable(one) for one in (value if isinstance(value, list) else [value]))
                for key, value in self.metadata.items()
            },
            date_from=self.date_from,
            date_to=self.date_to,
        )


TopK = Annotated[int | None, Field(ge=1, le=50, description="Passages to use; the default is QUERY__TOP_K.")]
Narrowed = Annotated[GivenFilters, BeforeValidator(_known_filters)]


class Strict(BaseModel):
    """A misspelt field is an error: a lost `conversation_id` would silently start a new conversation."""

    model_config = ConfigDict(extra="forbid")


class AskRequest(Strict):
    question: str
    conversation_id: UUID | None = None
    user: User = None
    stream: bool = False
    top_k: TopK = None
    filters: Narrowed = GivenFilters()


class SearchRequest(Strict):
    query: str
    top_k: TopK = None
    filters: Narrowed = GivenFilters()


class SearchResult(BaseModel):
    document_id: UUID
    filename: str
    page_start: int | None
    page_end: int | None
    heading_path: tuple[str, ...]
    text: str
    score: float

    @classmethod
    def of(cls, passage: ScoredChunk) -> "SearchResult":
        return cls(score=round(passage.score, 4), **passage.chunk.model_dump(include=set(cls.model_fields)))


class SearchResponse(BaseModel):
    results: list[SearchResult]


class BlankQuestion(Unprocessable):
    """There is nothing in the question."""


class LongQuestion(Unprocessable):
    """The question is over the limit."""


def cleaned_question(text: str, max_chars: int, field: str = "question") -> str:
    """The question in composed Unicode without control characters. Raises `BlankQuestion` or `LongQuestion`."""
    cleaned = without_controls(unicodedata.normalize("NFC", text)).strip()
    if not cleaned:
        raise BlankQuestion(f"{field} is empty. Send the question in words.", code="empty_question")
    if len(cleaned) > max_chars:
        raise LongQuestion(
            f"{field} has {len(cleaned)} characters; the limit is {max_chars} (QUERY__MAX_QUESTION_CHARS). "
            "Ask more briefly, or raise the limit.",
            code="question_too_long",
        )
    return cleaned
