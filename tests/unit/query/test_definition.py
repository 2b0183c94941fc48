import pytest

from query_service.retrieval.definition import opening


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("O que é 5G?", "o 5G é"),
        ("o que e o 5g", "o 5g é"),
        ("Oi, o que é um gêmeo digital?", "um gêmeo digital é"),
        ("O que significa URLLC?", "o URLLC é"),
        ("What is the Inatel?", "Inatel is"),
        ("oq é 5g", "o 5g é"),
        ("o q eh mqtt?", "o mqtt é"),
        ("5G", "o 5G é"),
        ("Open RAN?", "o Open RAN é"),
    ],
)
def test_a_question_for_a_definition_is_searched_with_the_words_a_definition_begins_with(question, words):
    assert opening(question) == words


@pytest.mark.parametrize(
    "question",
    [
        "Quando o Inatel foi fundado?",
        "Como sei que é a lâmpada certa do laboratório?",
        "O que é preciso fazer para que um documento novo seja respondido pelo assistente?",
        "que",
        "quem coordena?",
        "Quando?",
        "",
    ],
)
def test_other_questions_are_searched_as_they_are(question):
    assert opening(question) == ""


def test_a_long_question_is_looked_at_in_no_time():
    assert opening("o que é " + "a " * 5000) == ""
