"""The prompt of a question: rules, earlier turns, and passages fenced off as data, within the model's window.

Who gives way when the window is small: the text around passages first, then the last passages, then what is remembered
beyond its share. The rules and the best passage are always there.
"""

import secrets
from collections.abc import Sequence
from itertools import groupby

from query_service.answering.protocol import AnswerRequest, Surroundings
from query_service.conversations.store import Turn
from query_service.conversations.tables import Role
from query_service.llm import prompts
from query_service.llm.budget import Window, cut, tokens
from query_service.llm.neutral import neutral
from query_service.llm.protocol import ChatMessage
from query_service.words.plain_text import without_citations
from shared.models import Chunk

DELIMITER_BYTES = 8
TURN_TOKENS = 170
"""Of one earlier turn: its first three or four sentences."""
QUESTION_SHARE, TURNS_SHARE, MEMORY_SHARE = 0.5, 0.2, 0.15
"""Of what the rules leave of the window, at most; what they do not use goes to the passages."""
WORTH_SHOWING = 40
"""Tokens: less of a passage than this says nothing."""


def build_prompt(request: AnswerRequest, window: Window) -> list[ChatMessage]:
    """The messages for one question, with delimiters that nobody can have written into a document."""
    mark, language = secrets.token_hex(DELIMITER_BYTES), prompts.LANGUAGES[request.language]
    rules = prompts.ANSWER_RULES.format(language=language, mark=mark)
    left = window.prompt - tokens(rules) - tokens(prompts.ANSWER_QUESTION)
    share = left
    asked = cut(neutral(request.question), int(share * QUESTION_SHARE))
    left -= tokens(asked)
    earlier = _turns(request.history, int(share * TURNS_SHARE))
    left -= sum(tokens(turn.content) + 1 for turn in earlier)
    memory = _memory(request.summary, request.memory, mark, min(int(share * MEMORY_SHARE), left))
    left -= tokens(memory)
    blocks = _passages(request, mark, left)
    question = prompts.ANSWER_QUESTION.format(language=language, question=asked)
    data = "\n".join(filter(None, [memory, *blocks]))
    return [ChatMessage("system", rules), *_in_turn([*earlier, ChatMessage("user", f"{data}\n\n{question}")])]


def _turns(history: Sequence[Turn], limit: int) -> list[ChatMessage]:
    """The newest turns that fit, oldest first."""
    kept: list[ChatMessage] = []
    for turn in reversed(history):
        said = cut(neutral(without_citations(turn.content)), TURN_TOKENS)
        limit -= tokens(said)
        if limit < 0:
            break
        kept.append(ChatMessage("user" if turn.role is Role.USER else "assistant", said))
    return kept[::-1]


def _in_turn(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The visitor first, then one and the other: many chat templates refuse anything else.

    Answers that were interrupted leave questions side by side, and so do questions asked at the same time.
    """
    said = [
        ChatMessage(role, "\n".join(message.content for message in side_by_side))
        for role, side_by_side in groupby(messages, key=lambda message: message.role)
    ]
    return said if said[0].role == "user" else said[1:]


def _memory(summary: str, notes: Sequence[str], mark: str, limit: int) -> str:
    """What is remembered beyond the turns, fenced off; empty when there is nothing."""
    lines = [prompts.SUMMARY.format(text=neutral(summary))] if summary else []
    lines += [prompts.NOTE.format(text=neutral(note)) for note in notes]
    text = cut("\n".join(lines), limit - tokens(prompts.MEMORY) - 2 * len(mark))
    return prompts.MEMORY.format(mark=mark, text=text) if text else ""


def _passages(request: AnswerRequest, mark: str, left: int) -> list[str]:
    """Each passage between its delimiters; the last ones give way, and before them the text around each."""
    shown: list[str] = []
    places = [neutral(_place(passage.chunk)) for passage in request.passages]
    frame = tokens(prompts.PASSAGE) + 2 * len(mark)
    for place, passage in zip(places, request.passages, strict=True):
        room = left - frame - tokens(place)
        if shown and room < WORTH_SHOWING:
            break
        shown.append(cut(neutral("\n".join(filter(None, [passage.chunk.context, passage.chunk.text]))), room))
        left -= frame + tokens(place) + tokens(shown[-1])
    for number, around in enumerate(request.surroundings[: len(shown)]):
        wider = _with(shown[number], around)
        if (more := tokens(wider) - tokens(shown[number])) <= left:
            shown[number] = wider
            left -= more
    return [
        prompts.PASSAGE.format(n=n, mark=mark, place=place, text=text)
        for n, (place, text) in enumerate(zip(places, shown, strict=False), 1)
    ]


def _place(chunk: Chunk) -> str:
    page = prompts.PAGE.format(page=chunk.page_start) if chunk.page_start else ""
    return " > ".join([chunk.title, *chunk.heading_path]) + page


def _with(text: str, around: Surroundings) -> str:
    return "\n".join(filter(None, [neutral(around.before), text, neutral(around.after)]))
