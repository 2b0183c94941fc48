from dataclasses import replace

import pytest

from query_service.retrieval.spelling import edits, repaired
from query_service.verdict import judge
from query_service.words.terms import Rarity
from tests.unit.query.samples import found, passage, reader

ANTENNA = passage("A antena do laboratório cobre dois quilômetros em campo aberto. Ela fica no telhado.")


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [("antena", "antena", 0), ("antenna", "antena", 1), ("anetna", "antena", 1), ("rede", "sede", 1), ("", "abc", 3)],
)
def test_edits_count_insertions_losses_changes_and_swaps(one, other, count):
    assert edits(one, other) == edits(other, one) == count


def repair(question: str, counts: dict[str, int] | None = None) -> str:
    asked = found(question, ANTENNA, counts=counts)
    return repaired(question, asked.words, asked.rarity, asked.passages, reader)


def test_a_word_no_document_has_is_read_as_the_similar_one_of_a_passage():
    question = "Quantos quilometrs cobre a antenna do labratório?"
    assert repair(question) == "Quantos quilometros cobre a antena do laboratorio?"


def test_misspelt_words_do_not_turn_an_answer_into_a_refusal():
    question = "quantos quilometrs cobre a antenna do labratorio"
    assert judge(question, found(question, ANTENNA), reader, 0.5).reason is not None
    assert judge(repair(question), found(repair(question), ANTENNA), reader, 0.5).reason is None


def test_words_that_some_document_has_are_left_alone():
    assert repair("O que cobre a antenna?", counts={"antenn": 3}) == "O que cobre a antenna?"


def test_words_with_an_alternative_that_some_document_has_are_left_alone():
    (word,) = reader.words("antenna")
    known = replace(word, alternatives=(frozenset(["radi"]),))
    rarity = Rarity({"radi": 3}, 100)
    assert repaired("antenna", [known], rarity, [ANTENNA], reader) == "antenna"


def test_short_and_distant_words_are_left_alone():
    assert repair("Qual o tema da cantina?") == "Qual o tema da cantina?"
