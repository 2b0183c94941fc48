"""A question of 4,000 characters, whatever they are, holds nobody up: no other thread runs while `re` searches."""

import gc
import time
from collections.abc import Callable

import pytest

from query_service.answering.answer_kind import AnswerKind, asked_kind, holds_kind
from query_service.answering.sentence_scorer import asks_definition
from query_service.conversations.followup import standalone_form
from query_service.conversations.replacement import with_other_object
from query_service.conversations.store import Turn
from query_service.conversations.tables import Role
from query_service.retrieval.definition import opening
from query_service.retrieval.glossary import SHIPPED, read_glossary
from query_service.words.language import language_of
from query_service.words.names import named
from tests.unit.query.samples import reader

CHARS = 4000
GENEROUS_S = 1.0
"""Of computing, whoever else computes. Each takes a few hundredths; the patterns that this test is for took minutes."""


@pytest.fixture(autouse=True)
def no_garbage_collection():
    """A collection over all that a whole test run keeps takes seconds, and would be counted as the question's."""
    gc.disable()
    yield
    gc.enable()


GLOSSARY = read_glossary(SHIPPED, reader.words)
LOOKS: dict[str, Callable[[str], object]] = {
    "definition": opening,
    "defines": asks_definition,
    "follow-up": lambda q: standalone_form(
        q, [Turn(role=Role.USER, content="Quanto a Claro pagou no leilão de 2021?")], reader
    ),
    "earlier question": lambda q: standalone_form("e a TIM?", [Turn(role=Role.USER, content=q)], reader),
    "replacement": lambda q: with_other_object("Quanto a Claro pagou no leilão?", q),
    "kind asked": asked_kind,
    "kind held": lambda q: [holds_kind(kind, q, set(), reader) for kind in AnswerKind],
    "names": lambda q: named(q, reader),
    "language": language_of,
    "words": reader.asked,
    "topic": reader.topic,
    "features": reader.features,
    "glossary": lambda q: GLOSSARY.expand(reader.asked(q), "en"),
}
BEGINNINGS = ["", "o que é ", "what is a ", "e ", "oi, o que é "]
REPEATED = [
    "x",
    "X",
    "7",
    "a ",
    "Ab ",
    "xY",
    " ",
    "!",
    ".",
    "5,",
    "a, ",
    "5G ",
    "e o ",
    "o que é ",
    "oi ",
    "| ",
    "- ",
    "Ab-",
]
ENDS = ["", " ?x", "\nx"]


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
def test_no_question_takes_long_to_read(look):
    for beginning in BEGINNINGS:
        for repeated in REPEATED:
            for end in ENDS:
                room = CHARS - len(beginning) - len(end)
                question = beginning + (repeated * room)[:room] + end
                begun = time.thread_time()
                look(question)
                spent = time.thread_time() - begun
                assert spent < GENEROUS_S, f"{spent:.1f} s of computing for {beginning!r} + {repeated!r}... + {end!r}"
