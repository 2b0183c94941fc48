"""Language, refusals, speech: what people read and hear."""

import pytest

from query_service.answering import wording
from query_service.events import Reason
from query_service.words.language import language_of
from tests.unit.query.samples import reader


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("O que é o 5G?", "pt"),
        ("o que e um gemeo digital", "pt"),
        ("What is the 5G core?", "en"),
        ("Who runs the lab?", "en"),
        ("URLLC", "pt"),
        ("Quem coordena o Open RAN?", "pt"),
        ("URLLC?", "pt"),
        ("latência do 5G", "pt"),
        ("5G latency?", "pt"),
        ("O que faz o Near-Real-Time RAN Intelligent Controller?", "pt"),
        ("What does EMBRAPII do?", "en"),
        ("Does Inatel offer a course on redes 5G?", "en"),
    ],
)
def test_the_language_of_a_question_is_told_by_its_small_words(question, language):
    assert language_of(question) == language


def test_a_refusal_names_the_nearest_document_without_claiming_that_it_answers():
    text = wording.refusal(Reason.LOW_SCORE, "pt", nearest=["Guia do 5G"])
    assert "não respondem" in text
    assert "«Guia do 5G»" in text


def test_a_pending_refusal_names_the_documents_and_says_when_to_ask_again():
    text = wording.refusal(Reason.PENDING_DOCUMENTS, "en", pending=["a.pdf", "b.pdf"])
    assert "“a.pdf” and “b.pdf” are still being read" in text
    assert "ask again" in text


@pytest.mark.parametrize("language", ["pt", "en"])
@pytest.mark.parametrize("reason", [Reason.NO_EVIDENCE, Reason.LOW_SCORE, Reason.PENDING_DOCUMENTS])
def test_every_refusal_is_made_of_whole_sentences(reason, language):
    for nearest in ((), ("A",), ("A", "B")):
        text = wording.refusal(reason, language, nearest=nearest, pending=["x.pdf"])
        assert text.endswith(".")
        assert ".." not in text
        assert "{" not in text


@pytest.mark.parametrize(
    "question",
    [
        "oq é URLLC",
        "o q eh URLLC?",
        "Oi, o que é URLLC?",
        "Bom dia! O que significa a sigla URLLC?",
        "queria saber o que é URLLC por favor",
        "Hi, what does URLLC mean please?",
    ],
)
def test_greetings_and_chat_spellings_are_not_searched_for(question):
    assert [word.surface for word in reader.asked(question)] == ["urllc"]
    assert [word.surface for word in reader.words(reader.topic(question))] == ["urllc"]


def test_a_greeting_alone_is_still_searched_for():
    assert reader.asked("Bom dia")
    assert reader.topic("Bom dia") == "Bom dia"
