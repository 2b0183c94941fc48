from dataclasses import replace

import pytest

from query_service.answering.protocol import Surroundings
from query_service.answering.support import SupportChecker
from tests.unit.query.samples import passage, reader, request

FOUNDED = passage("O Inatel foi fundado em 31 de março de 1965, em Santa Rita do Sapucaí, por Antônio Duarte.")
MONEY = passage("O centro recebeu R$ 1.500,50 em três parcelas.", document="verba.md")
ASKED = request("Quando o Inatel foi fundado?", FOUNDED, MONEY)
check = SupportChecker(reader).check


def verdicts(answer: str, asked=ASKED) -> list[bool]:
    return [sentence.supported for sentence in check(answer, asked)]


@pytest.mark.parametrize(
    ("answer", "supported"),
    [
        ("O Inatel foi fundado em 1965 [1].", True),
        ("A fundação do Inatel foi em março de 1965 [1].", True),
        ("O Inatel foi fundado em 1970 [1].", False),
        ("O Inatel foi fundado em 1965 [2].", False),
        ("O Inatel foi fundado por José Silva [1].", False),
        ("O Inatel foi fundado por Antônio Duarte [1].", True),
        ("O centro recebeu 1500,5 reais em 3 parcelas [2].", True),
        ("O centro recebeu 1500,5 reais em 4 parcelas [2].", False),
        ("O Inatel foi fundado em 1965.", True),
        ("O Inatel oferece ótimos cursos de engenharia biomédica [1].", False),
        ("Sim.", True),
        ("Os documentos não respondem a essa pergunta.", True),
        ("O Inatel foi fundado em 31/03/1965 [1].", True),
        ("O Inatel foi fundado em 31/04/1965 [1].", False),
        ("O Inatel foi fundado em abril de 1965 [1].", False),
        ("O Inatel não foi fundado em 1965 [1].", False),
        ("O Inatel foi fundado não só em 1965 [1].", True),
        ("O centro recebeu 1,5005 mil reais [2].", True),
        ("O centro recebeu R$ 1.500,50 milhões [2].", False),
    ],
)
def test_words_numbers_and_names_tell_whether_the_cited_passage_holds_a_sentence(answer, supported):
    assert verdicts(answer) == [supported]


@pytest.mark.parametrize(
    ("answer", "supported"),
    [
        ("O fundo tem 47,2 bilhões de reais [1].", True),
        ("O fundo tem 47,2 milhões de reais [1].", False),
        ("O fundo tem 47.200.000.000 reais [1].", True),
        ("O fundo financia empresas privadas [1].", False),
        ("O fundo não financia empresas privadas [1].", True),
    ],
)
def test_scales_and_negations_are_part_of_what_a_passage_says(answer, supported):
    fund = passage("O fundo tem R$ 47,2 bilhões de reais. O fundo não financia empresas privadas.")
    assert verdicts(answer, request("O que é o fundo?", fund)) == [supported]


def test_a_long_sentence_may_deny_something_else():
    text = "O fundo financia pesquisas de universidades públicas há dez anos, mas empresas privadas não recebem verbas."
    asked = request("Quem financia pesquisas?", passage(text))
    assert verdicts("O fundo financia pesquisas de universidades [1].", asked) == [True]


def test_each_sentence_is_found_in_the_answer_with_its_own_citations():
    answer = "O Inatel foi fundado em 1965. [1] O centro recebeu R$ 1.500,50 [2][1]. Fim."
    found = check(answer, ASKED)
    assert [sentence.citations for sentence in found] == [(1,), (2, 1), ()]
    assert [answer[sentence.start : sentence.end] for sentence in found] == [sentence.text for sentence in found]
    assert [sentence.text for sentence in found] == [
        "O Inatel foi fundado em 1965. [1]",
        "O centro recebeu R$ 1.500,50 [2][1].",
        "Fim.",
    ]


def test_the_text_around_a_passage_and_its_heading_count_as_read():
    asked = replace(ASKED, surroundings=(Surroundings(after="O campus tem 12 prédios."), Surroundings()))
    assert verdicts("O campus tem 12 prédios [1].", asked) == [True]
    assert verdicts("O campus tem 12 prédios [1].") == [False]


def test_the_number_in_the_question_is_no_proof():
    asked = request("O Inatel foi fundado em 1970?", FOUNDED)
    assert verdicts("Sim, o Inatel foi fundado em 1970 [1].", asked) == [False]
