"""The shapes of the OpenAI route: what any chat client sends, and what it gets back.

Fields that only steer how a model writes (`temperature`, `max_tokens`, `stop`, `seed`, tools that it may call or not)
are taken and not looked at: how answers are made is set by the operator, and clients send them unasked. Those that an
answer would have to obey to be understood are refused.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from query_service.api.schemas import User, without_controls
from query_service.conversations.store import HISTORY_MESSAGES, Turn
from query_service.conversations.tables import Role
from query_service.events import Done, Usage
from shared.errors import BadRequest
from shared.models import Citation

MODEL = "xgtwin"
"""The one model that this service is."""
SOURCES_HEAD = {"pt": "**Fontes**", "en": "**Sources**"}


class Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Part(Lenient):
    """A piece of a message; only text can be read."""

    type: str
    text: str = ""


class ChatMessage(Lenient):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    def text(self) -> str:
        """What can be read of it, without control characters and halves of characters."""
        parts = self.content if isinstance(self.content, list) else [Part(type="text", text=self.content or "")]
        return without_controls("\n".join(part.text for part in parts if part.type == "text"))

    def question(self) -> str:
        """Raises `BadRequest` for pictures, sound and files: they would be passed over in silence."""
        parts = self.content if isinstance(self.content, list) else []
        if other := next((part.type for part in parts if part.type != "text"), None):
            raise BadRequest(
                f"A part of the question is of type {other!r}. This service reads text only; documents come in through "
                "the ingest service.",
                code="unsupported_content",
            )
        return self.text()


class StreamOptions(Lenient):
    include_usage: bool | None = False


class ResponseFormat(Lenient):
    type: str


class ChatRequest(Lenient):
    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    user: User = None
    n: Annotated[int | None, Field(ge=1)] = None
    response_format: ResponseFormat | None = None
    tool_choice: str | dict[str, Any] | None = None
    function_call: str | dict[str, Any] | None = None
    logprobs: bool | None = None
    modalities: list[str] | None = None

    def refuse_what_would_be_lost(self) -> None:
        """Raises `BadRequest` for what changes the shape of an answer: its reader would wait for it, or stumble."""
        if self.n not in (None, 1):
            raise _lost("n", "Each question gets one answer here; leave it out or send 1.")
        if self.response_format and self.response_format.type != "text":
            raise _lost("response_format", "Answers are text with its proof beside it; ask for JSON elsewhere.")
        for name in ("tool_choice", "function_call"):
            if getattr(self, name) not in (None, "auto", "none"):
                raise _lost(name, "This service calls no tools; it can only be offered some ('auto').")
        if self.logprobs:
            raise _lost("logprobs", "Answers come without probabilities of their words.")
        if "audio" in (self.modalities or ()):
            raise _lost("modalities", "Answers are text; they are not spoken here.")

    def conversation(self) -> tuple[str, tuple[Turn, ...]]:
        """The question, and what was said before it. Instructions (`system`) are not for clients to give here.

        Raises `BadRequest` when the last message is nobody's question.
        """
        said = [message for message in self.messages if message.role in ("user", "assistant")]
        if not said or said[-1].role != "user":
            raise BadRequest("The last message must be the user's question.", code="no_question")
        earlier = (Turn(role=Role(one.role), content=_as_said(one)) for one in said[-1 - HISTORY_MESSAGES : -1])
        return said[-1].question(), tuple(turn for turn in earlier if turn.content)


def sources_list(citations: tuple[Citation, ...], language: Literal["pt", "en"]) -> str:
    """The proof as a list below the answer, for clients that show nothing but text."""
    if not citations:
        return ""
    page = {"pt": "página", "en": "page"}[language]
    lines = [
        f"- [{one.n}] {one.filename}"
        + (f", {page} {one.page_start}" if one.page_start else "")
        + f": “{' '.join(one.quote.split())}”"
        for one in citations
    ]
    return "\n\n" + "\n".join([SOURCES_HEAD[language], *lines])


def completion(done: Done, created: int, language: Literal["pt", "en"]) -> dict[str, Any]:
    """A `chat.completion`, with the proof as fields of its own too."""
    content = done.answer + sources_list(done.citations, language)
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    head = {"id": completion_id(done), "object": "chat.completion", "created": created, "model": MODEL}
    return {**head, "choices": [choice], "usage": done.usage.model_dump(), **proof(done)}


def chunk(answer_id: str, created: int, delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    """A `chat.completion.chunk`."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {**_chunk_head(answer_id, created), "choices": [choice]}


def usage_chunk(answer_id: str, created: int, usage: Usage) -> dict[str, Any]:
    """What `stream_options.include_usage` asks for: the last chunk, without choices."""
    return {**_chunk_head(answer_id, created), "choices": [], "usage": usage.model_dump()}


def completion_id(done: Done) -> str:
    return f"chatcmpl-{done.message_id.hex}"


def proof(done: Done) -> dict[str, Any]:
    """What OpenAI's shape has no place for."""
    return done.model_dump(mode="json", include={"citations", "grounded", "reason"})


def _lost(param: str, advice: str) -> BadRequest:
    return BadRequest(
        f"{param} as it was sent cannot be done. {advice}", code="unsupported_value", extensions={"param": param}
    )


def _chunk_head(answer_id: str, created: int) -> dict[str, Any]:
    return {"id": answer_id, "object": "chat.completion.chunk", "created": created, "model": MODEL}


def _as_said(message: ChatMessage) -> str:
    """An earlier answer as it was before its list of sources: that is no part of what was said."""
    text = message.text()
    if message.role == "assistant":
        for head in SOURCES_HEAD.values():
            text = text.partition(f"\n\n{head}\n")[0]
    return text
