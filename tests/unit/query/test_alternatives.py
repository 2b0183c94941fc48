"""A word of the question that a text says in another way counts as said."""

from dataclasses import replace

from query_service.answering.sentence_scorer import FULL_COVERAGE, coverage
from query_service.verdict import judge
from query_service.words.terms import Rarity, share, weigh
from tests.unit.query.samples import encoder, found, passage, reader

TEXT = "A estação rádio-base do laboratório tem quatro antenas."


def knowing(question: str, **alternatives: str):
    """The question's words, some with another way to say them."""
    return tuple(
        replace(word, alternatives=(frozenset(encoder.stems(alternatives[word.surface])),))
        if word.surface in alternatives
        else word
        for word in reader.asked(question)
    )


def test_a_text_holds_a_word_that_it_says_in_another_way():
    words = knowing("Quantas antenas tem a gNB do laboratório?", gnb="estação rádio-base")
    weights = weigh(words, Rarity({}, 100))
    features = reader.features(TEXT)
    assert share(weights.stems, features.stems) < 1
    assert share(weights.stems, weights.said(features.stems)) == 1
    assert coverage(weights, features) > coverage(
        weigh(reader.asked("Quantas antenas tem a gNB do laboratório?"), Rarity({}, 100)), features
    )
    assert coverage(weights, features) <= FULL_COVERAGE


def test_part_of_another_way_does_not_say_the_word():
    weights = weigh(knowing("gNB", gnb="estação rádio-base"), Rarity({}, 100))
    assert share(weights.stems, weights.said(reader.features("Uma estação de trem.").stems)) == 0


def test_the_verdict_accepts_a_passage_that_answers_in_other_words():
    asked = found("What are the antennas of the gNB?", passage(TEXT))
    told = replace(
        asked, words=knowing("What are the antennas of the gNB?", antennas="antena", gnb="estação rádio-base")
    )
    assert judge("What are the antennas of the gNB?", asked, reader, 0.5).reason is not None
    assert judge("What are the antennas of the gNB?", told, reader, 0.5).reason is None


def test_a_word_is_as_frequent_as_all_ways_to_say_it():
    (plain,) = reader.words("gNB")
    (told,) = knowing("gNB", gnb="estação rádio-base")
    estacao, radio, base = encoder.stems("estação rádio-base")
    rarity = Rarity({estacao: 30, radio: 20, base: 10, plain.stem: 1}, 100)
    assert rarity.of(told) == Rarity({plain.stem: 11}, 100).of(plain)
