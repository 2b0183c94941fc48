from dataclasses import replace

from query_service.retrieval.best_sentence import FIRST, BestSentence
from query_service.words.terms import Rarity, Word
from shared.models import Chunk, ScoredChunk
from tests.unit.query.samples import encoder, passage, reader

RARITY = Rarity({}, 100)
QUESTION = reader.asked("Quem coordena o laboratório de redes?")
SCATTERED = passage(
    "Um laboratório fica no prédio novo. As redes são antigas. Ninguém coordena as visitas.", document="a", score=10
)
TOGETHER = passage("Maria coordena o laboratório de redes. O prédio é novo.", document="b", score=9)


def order(*hits: ScoredChunk, weight: float = 1.0, words: tuple[Word, ...] = QUESTION) -> list[Chunk]:
    return [hit.chunk for hit in BestSentence(reader, weight).order(hits, words, RARITY)]


def test_a_passage_with_the_words_in_one_sentence_comes_before_one_that_scatters_them():
    assert order(SCATTERED, TOGETHER) == [TOGETHER.chunk, SCATTERED.chunk]


def test_a_weight_of_zero_leaves_the_order():
    assert order(SCATTERED, TOGETHER, weight=0) == [SCATTERED.chunk, TOGETHER.chunk]


def test_scores_fall_and_hits_beyond_the_first_stay():
    many = [passage("Nada disso.", document=str(n), score=20 - n) for n in range(FIRST)]
    hits = BestSentence(reader, 1.0).order([*many, TOGETHER], QUESTION, RARITY)
    assert hits[-1] == TOGETHER
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_sentence_that_says_it_in_other_words_counts():
    english = passage("Mary leads the network lab. The building is new.", document="c", score=9)
    ways = {"coorden": "leads", "laboratori": "lab", "red": "network"}
    words = tuple(replace(word, alternatives=(frozenset(encoder.stems(ways[word.stem])),)) for word in QUESTION)
    assert order(SCATTERED, english) == [SCATTERED.chunk, english.chunk]
    assert order(SCATTERED, english, words=words) == [english.chunk, SCATTERED.chunk]


def test_nothing_found_and_stop_words_alone_are_fine():
    assert order() == []
    assert order(SCATTERED, TOGETHER, words=()) == [SCATTERED.chunk, TOGETHER.chunk]
