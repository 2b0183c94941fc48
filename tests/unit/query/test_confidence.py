"""The probability that the passages answer: what raises it, what lowers it."""

import pytest

from query_service.confidence import confidence, signals
from query_service.words.everyday import telling
from query_service.words.names import named
from tests.unit.query.samples import found, passage, reader

ANTENNA = passage("A antena do laboratório cobre dois quilômetros em campo aberto. Ela fica no telhado.")


def chance(question, *passages, **corpus) -> float:
    return confidence(question, found(question, *passages, **corpus), reader)


def test_it_is_a_probability_and_zero_without_passages_or_content_words():
    assert 0 < chance("O que a antena cobre?", ANTENNA) < 1
    assert chance("O que a antena cobre?") == 0
    assert chance("O que é isso?", ANTENNA) == 0


def test_a_name_that_the_passage_lacks_speaks_against_it():
    assert chance("O que a antena Jacarandá cobre?", ANTENNA) < chance("O que a antena cobre?", ANTENNA) / 2


def test_a_long_name_counts_once_so_the_one_word_asked_about_it_is_heard():
    town = passage("Santa Rita do Sapucaí é uma cidade do sul de Minas Gerais. Nela fica o Inatel.")
    assert chance("Santa Rita do Sapucaí tem aeroporto?", town) < 0.5
    assert chance("Onde fica Santa Rita do Sapucaí?", town) > 0.7


def test_a_missing_everyday_word_weighs_less_than_a_missing_term():
    assert telling("comec") < telling("numerolog") == 1
    assert chance("A antena começa onde?", ANTENNA) > chance("A antena numerologia onde?", ANTENNA)


def test_a_question_for_a_number_is_answered_by_a_passage_with_one():
    with_number = passage("A antena do laboratório cobre dois quilômetros.")
    without = passage("A antena do laboratório cobre vários quilômetros de 5G.")
    question = "Quantos quilômetros cobre a antena?"
    assert chance(question, with_number) > chance(question, without)


def test_the_best_of_the_passages_counts_each_alone():
    halves = (passage("A antena fica no telhado."), passage("O laboratório cobre a mesa."))
    question = "O que a antena do laboratório cobre?"
    assert chance(question, *halves) < chance(question, ANTENNA)
    assert len(signals(question, found(question, *halves), reader)) == 2


def test_a_library_of_one_passage_is_judged_as_surely_as_a_large_one():
    for total in (1, 20, 100_000):
        assert chance("O que a antena do laboratório cobre?", ANTENNA, total=total) > 0.7
        assert chance("Como troco o pneu de uma bicicleta?", ANTENNA, total=total) < 0.2


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Quem coordena o Open RAN?", {"open", "ran"}),
        ("quem coordena o laboratório?", set()),
        ("Em 2015, o que a ITU publicou?", {"2015", "itu"}),
        ("O QUE É O LABORATÓRIO?", set()),
    ],
)
def test_names_are_told_by_capitals_and_digits_within_a_question(question, names):
    assert named(question, reader) == names
