"""Follow-up questions, made to stand alone by words."""

import pytest

from query_service.conversations.followup import standalone_form
from query_service.conversations.store import Turn
from query_service.conversations.tables import Role
from tests.unit.query.samples import reader

FIRST = "Quem coordena o xGMobile?"


def asked(*questions: str) -> tuple[Turn, ...]:
    """What was said when these were asked, each answered somehow."""
    return tuple(
        turn
        for question in questions
        for turn in (Turn(role=Role.USER, content=question), Turn(role=Role.ASSISTANT, content="O professor Luciano."))
    )


@pytest.mark.parametrize(
    "question",
    [
        "E onde ele estudou?",
        "Onde ele fez o doutorado?",
        "e quanto a isso?",
        "Por quê?",
        "quantos alunos?",
        "explique melhor",
        "isso vale para o CRR?",
        "e o endereço?",
        "Oi, e quando foi isso?",
        "and where did he study?",
        "who leads it?",
    ],
)
def test_a_question_that_leans_on_the_one_before_is_searched_together_with_it(question):
    assert standalone_form(question, asked(FIRST), reader) == f"{FIRST} {question}"


@pytest.mark.parametrize(
    "question",
    [
        "Qual a frequência da faixa de 3,5 GHz no Brasil?",
        "O que é a latência da rede?",
        "O que é HNSW?",
        "BM25",
        "e o que é fatiamento de rede?",
        "E aí, tudo bem? Qual é o endereço do Inatel?",
        "A quem o acadêmico deve ir para revisar suas avaliações?",
        "É necessário que a cópia dos documentos seja autenticada?",
        "What is network slicing?",
    ],
)
def test_a_complete_question_takes_nothing_along(question):
    assert standalone_form(question, asked(FIRST), reader) is None


def test_the_first_question_is_as_it_is():
    assert standalone_form("E onde ele estudou?", (), reader) is None


REPLACED = [
    ("Quanto a Claro pagou no leilão de 3,5 GHz?", "e a TIM?", "Quanto a TIM pagou no leilão de 3,5 GHz?"),
    ("Quem levou a faixa de 700 MHz?", "e a de 26 GHz?", "Quem levou a faixa de 26 GHz?"),
    ("O que é URLLC no 5G?", "e no 4G?", "O que é URLLC no 4G?"),
    ("O que tem na Release 20 do 3GPP?", "e na 21?", "O que tem na Release 21 do 3GPP?"),
    ("Qual a garantia do QoS 1?", "E do QoS 2?", "Qual a garantia do QoS 2?"),
    ("Quando o 5G chegou a Brasília?", "e em São Paulo?", "Quando o 5G chegou a São Paulo?"),
    ("What is URLLC?", "and eMBB?", "What is eMBB?"),
]


@pytest.mark.parametrize(("first", "second", "meant"), REPLACED)
def test_another_object_takes_the_place_of_the_one_that_looks_like_it(first, second, meant):
    assert standalone_form(second, asked(first), reader) == meant


@pytest.mark.parametrize(("first", "second"), [("Qual é a porta do MQTT?", "e com TLS?"), ("O que é isso?", "e o 4G?")])
def test_what_nothing_in_the_earlier_question_is_like_is_added_to_it(first, second):
    assert standalone_form(second, asked(first), reader) == f"{first} {second}"


def test_a_chain_keeps_its_subject_and_the_question_before():
    questions = ("O que é o Inatel?", "e o xGMobile?", "quem coordena?")
    assert standalone_form("e onde ele estudou?", asked(*questions), reader) == (
        "O que é o xGMobile? quem coordena? e onde ele estudou?"
    )


def test_a_long_chain_does_not_grow():
    chain = ("O que é o Inatel?", *(f"e isso, vez {n}?" for n in range(50)))
    assert standalone_form("por quê?", asked(*chain), reader) == "O que é o Inatel? e isso, vez 49? por quê?"
