"""From a question and what was said before to a question that stands alone: what is searched for."""

from collections.abc import Sequence

from query_service.conversations.followup import leans, standalone_form
from query_service.conversations.past import Past
from query_service.conversations.store import Turn
from query_service.conversations.tables import Role
from query_service.conversations.transcript import one_line, transcript
from query_service.llm import prompts
from query_service.llm.complete import complete
from query_service.llm.protocol import ChatMessage, Llm, LlmFailed
from query_service.words.small_talk import small_talk
from query_service.words.terms import WordReader
from shared.embeddings.folding import fold
from shared.observability.logs import get_logger
from shared.observability.metrics import REWRITES
from shared.observability.traces import span

log = get_logger(__name__)

TURNS, TURN_CHARS = 6, 300
"""What the model reads of the conversation: enough to find a subject in, quick on a slow machine."""
MAX_TOKENS, MAX_CHARS = 120, 400
KNOWN_WORDS = 0.6
"""Part of the rewritten question's words that must come from the conversation: with less it is invented."""


class Rewriter:
    """Makes questions stand alone: by the language model when there is one, else by words."""

    def __init__(self, reader: WordReader, llm: Llm | None, *, deadline_s: float) -> None:
        self._reader = reader
        self._llm = llm if deadline_s else None
        self._deadline_s = deadline_s

    async def rewrite(self, question: str, past: Past) -> str | None:
        """The question to search for, where it differs from what was asked. Never fails: words do when the model does
        not.
        """
        history = past.history or self._remembered(question, past)
        if not history or small_talk(question):
            return None
        by, rewritten = "llm", await self._by_model(question, history, past.summary)
        if rewritten is None or _same(rewritten, question):  # small models echo what they cannot read
            by, rewritten = "words", standalone_form(question, history, self._reader)
        if rewritten is None or _same(rewritten, question):
            return None
        REWRITES.labels(by).inc()
        return rewritten

    def _remembered(self, question: str, past: Past) -> tuple[Turn, ...]:
        """The nearest question of earlier conversations, for a first question that leans on one."""
        if not past.remembered or not leans(question, self._reader):
            return ()
        return (Turn(role=Role.USER, content=past.remembered[0]),)

    async def _by_model(self, question: str, history: Sequence[Turn], summary: str) -> str | None:
        """The model's question, the visitor's own included; None when there is no model or it gave none of use."""
        if self._llm is None:
            return None
        turns = transcript(history[-TURNS:], TURN_CHARS)
        asked = prompts.REWRITE.format(summary=one_line(summary), turns=turns, question=one_line(question))
        messages = [ChatMessage("system", prompts.REWRITE_RULES), ChatMessage("user", asked)]
        try:
            with span("rewrite"):
                text = await complete(self._llm, messages, max_tokens=MAX_TOKENS, deadline_s=self._deadline_s)
        except LlmFailed as error:
            log.warning("question_not_rewritten", kind=error.kind)
            return None
        line = text.splitlines()[0].strip().strip("\"'“”«»").strip() if text else ""
        if line and len(line) <= MAX_CHARS and self._known(line, asked):
            return line
        log.warning("question_not_rewritten", kind="unusable")
        return None

    def _known(self, line: str, asked: str) -> bool:
        words = {word.stem for word in self._reader.words(line)}
        known = {word.stem for word in self._reader.words(asked)}
        return bool(words) and len(words & known) >= KNOWN_WORDS * len(words)


def _same(one: str, other: str) -> bool:
    return " ".join(fold(one).split()).strip(" ?.!") == " ".join(fold(other).split()).strip(" ?.!")
