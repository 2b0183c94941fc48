import pytest

from query_service.answering.answer_kind import AnswerKind, asked_kind, holds_kind
from tests.unit.query.samples import reader


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Quando foi fundado?", AnswerKind.DATE),
        ("Em que ano nasceu a UIT?", AnswerKind.DATE),
        ("Quem fundou o Inatel?", AnswerKind.SOMEBODY),
        ("Who runs it?", AnswerKind.SOMEBODY),
        ("Quantas fatias tem o 5G?", AnswerKind.NUMBER),
        ("Qual é o telefone do Inatel?", AnswerKind.PHONE),
        ("qual o número de telefone da secretaria", AnswerKind.PHONE),
        ("Quais são os e-mails da coordenação?", AnswerKind.EMAIL),
        ("Qual o endereço de e-mail do suporte?", AnswerKind.EMAIL),
        ("What is the website of the lab?", AnswerKind.SITE),
        ("Como funciona o telefone?", None),
        ("O que está no site do laboratório?", None),
        ("Como funciona?", None),
    ],
)
def test_the_question_word_tells_what_is_asked_for(question, kind):
    assert asked_kind(question) is kind


@pytest.mark.parametrize(
    ("kind", "sentence", "held"),
    [
        (AnswerKind.DATE, "O Inatel abriu em 1965.", True),
        (AnswerKind.DATE, "São 3500 alunos.", False),
        (AnswerKind.SOMEBODY, "Foi o professor José Leite.", True),
        (AnswerKind.SOMEBODY, "A história do Inatel é longa.", False),
        (AnswerKind.NUMBER, "Um terminal usa até oito fatias.", True),
        (AnswerKind.NUMBER, "O 5G usa fatias.", False),
        (AnswerKind.NUMBER, "Nasceu em 1907.", False),
        (AnswerKind.NUMBER, "São 1.907 alunos.", True),
        (AnswerKind.PHONE, "Ligue para (35) 3471-9200.", True),
        (AnswerKind.PHONE, "O ramal da secretaria é 215.", True),
        (AnswerKind.PHONE, "O Inatel foi fundado em 1965 e tem 3.500 alunos.", False),
        (AnswerKind.EMAIL, "Escreva para lab@exemplo.org.", True),
        (AnswerKind.EMAIL, "Escreva para a secretaria.", False),
        (AnswerKind.SITE, "Veja www.exemplo.org.", True),
        (AnswerKind.SITE, "Veja a página do curso.", False),
    ],
)
def test_a_name_of_the_question_is_nobody_and_the_digit_of_a_name_is_no_number(kind, sentence, held):
    asked = {word.stem for word in reader.words("Quem fundou o Inatel?")}
    assert holds_kind(kind, sentence, asked, reader) is held
