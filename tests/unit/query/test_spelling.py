import pytest

from query_service.retrieval.spelling import edits, with_repaired_words
from query_service.verdict import judge
from tests.unit.query.samples import found, passage, reader

ANTENNA = passage("A antena do laboratório cobre dois quilômetros em campo aberto. Ela fica no telhado.")


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [("antena", "antena", 0), ("antenna", "antena", 1), ("anetna", "antena", 1), ("rede", "sede", 1), ("", "abc", 3)],
)
def test_edits_count_insertions_losses_changes_and_swaps(one, other, count):
    assert edits(one, other) == edits(other, one) == count


def test_misspelt_words_do_not_turn_an_answer_into_a_refusal():
    asked = found("quantos quilometrs cobre a antenna do labratorio", ANTENNA)
    assert judge(asked, reader, 0.5).reason is not None
    assert judge(with_repaired_words(asked, reader), reader, 0.5).reason is None


def test_words_that_some_document_has_are_left_alone():
    asked = found("O que cobre a antenna?", ANTENNA, counts={"antenn": 3})
    assert with_repaired_words(asked, reader).words == asked.words


def test_short_and_distant_words_are_left_alone():
    asked = found("Qual o tema da cantina?", ANTENNA)
    assert with_repaired_words(asked, reader).words == asked.words
