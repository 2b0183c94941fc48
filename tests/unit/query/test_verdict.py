from dataclasses import replace

from query_service.events import Reason
from query_service.verdict import Verdict, judge
from shared.settings import QuerySettings
from tests.unit.query.samples import found, passage, reader

ANTENNA = passage("A antena do laboratório cobre dois quilômetros em campo aberto. Ela fica no telhado.")


def verdict(question, *passages, **corpus) -> Verdict:
    return judge(question, found(question, *passages, **corpus), reader, QuerySettings().min_confidence)


def test_a_passage_that_holds_the_words_is_evidence():
    assert verdict("O que a antena do laboratório cobre?", ANTENNA).reason is None


def test_nothing_retrieved_is_no_evidence():
    assert verdict("O que a antena cobre?").reason is Reason.NO_EVIDENCE


def test_a_passage_without_any_word_of_the_question_is_no_evidence():
    assert verdict("Qual a receita de pudim?", ANTENNA).reason is Reason.NO_EVIDENCE


def test_a_semantic_hit_without_shared_words_is_weak_but_there():
    semantic = replace(found("Qual a receita de pudim?", ANTENNA), semantic=True)
    assert judge("Qual a receita de pudim?", semantic, reader, 0.5).reason is Reason.LOW_SCORE


def test_common_words_alone_are_too_little():
    counts = dict.fromkeys(("laboratori", "camp"), 95)
    question = "Quem venceu o torneio de xadrez no campo do laboratório?"
    assert verdict(question, ANTENNA, counts=counts).reason is Reason.LOW_SCORE


def test_a_heading_that_asks_the_question_is_evidence_for_the_text_under_it():
    answer = passage("Sim, basta enviar o mesmo valor.", heading_path=("O assistente lembra da conversa?",))
    assert verdict("O assistente lembra da conversa?", answer).reason is None
    assert verdict("O assistente lembra da conversa?", passage("Sim, basta enviar o mesmo valor.")).reason


def test_a_question_in_other_words_is_near_and_one_with_a_single_word_in_common_is_not():
    near = verdict("Que superfície externa a antena do laboratório alcança sem barreira?", ANTENNA)
    assert (near.reason, near.near) == (Reason.LOW_SCORE, True)
    far = verdict("Qual antena gigante existe em Júpiter?", ANTENNA)
    assert (far.reason, far.near) == (Reason.LOW_SCORE, False)


def test_a_phone_number_that_no_passage_holds_is_refused_however_well_the_words_fit():
    lab = "O telefone do laboratório da antena fica na bancada do laboratório."
    without = verdict("Qual é o telefone do laboratório da antena?", passage(lab))
    assert (without.reason, without.near) == (Reason.LOW_SCORE, False)
    assert verdict("Qual é o telefone do laboratório da antena?", passage(f"{lab} É (35) 3471-9200.")).reason is None
