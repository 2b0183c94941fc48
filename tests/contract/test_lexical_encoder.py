"""What `LexicalEncoder` promises to the store and to the answerer."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.embeddings.folding import fold
from shared.embeddings.lexical import LexicalEncoder
from shared.vector_store.protocol import SparseVector

PASSAGE = "A carga horária do estágio é de 160 horas; as horas de estágio são registradas pela coordenação."


@pytest.fixture(scope="module")
def encoder() -> LexicalEncoder:
    return LexicalEncoder()


def overlap(passage: SparseVector, question: SparseVector) -> float:
    weights = dict(zip(passage.indices, passage.values, strict=True))
    return sum(weights.get(i, 0) * value for i, value in zip(question.indices, question.values, strict=True))


def test_indices_are_distinct_unsigned_32_bit_numbers_with_a_positive_weight_each(encoder: LexicalEncoder):
    for vector in (encoder.passage(PASSAGE), encoder.question(PASSAGE)):
        assert len(vector.indices) == len(vector.values) == len(set(vector.indices)) > 30
        assert all(0 <= index < 2**32 for index in vector.indices)
        assert min(vector.values) > 0


def test_accents_and_capitals_do_not_change_a_vector(encoder: LexicalEncoder):
    assert encoder.passage(PASSAGE) == encoder.passage(fold(PASSAGE)) == encoder.passage(PASSAGE.upper())
    assert encoder.question("coordenação") == encoder.question("coordenacao")


def test_decomposed_and_composed_letters_are_the_same(encoder: LexicalEncoder):
    assert encoder.question("educac\u0327a\u0303o") == encoder.question("educação")


@pytest.mark.parametrize(
    ("question", "less"),
    [
        ("horas de estágio", "estágio"),  # more words in common
        ("estágio", "estagiários"),  # the form itself rather than the stem alone
        ("carga horária", "horária carga"),  # the order
        ("coordenasção", "xilofone"),  # a typo still shares pieces
    ],
)
def test_the_closer_question_scores_higher(encoder: LexicalEncoder, question: str, less: str):
    passage = encoder.passage(PASSAGE)
    assert overlap(passage, encoder.question(question)) > overlap(passage, encoder.question(less))


def test_repetition_counts_less_each_time_and_length_dilutes(encoder: LexicalEncoder):
    question = encoder.question("antena")
    once, twice, thrice = (
        overlap(encoder.passage("antena " + "mastro " * 9 + "antena " * n), question) for n in range(3)
    )
    assert once < twice < thrice
    assert thrice - twice < twice - once
    assert overlap(encoder.passage("antena " + "mastro " * 200), question) < once


@pytest.mark.parametrize("text", ["", "  \n", "?!", "o que é isso", "what is it"])
def test_a_text_without_content_words_is_an_empty_vector(encoder: LexicalEncoder, text: str):
    assert encoder.question(text) == encoder.passage(text) == SparseVector((), ())
    assert encoder.stems(text) == []


def test_stems_come_in_order_folded_and_without_stop_words(encoder: LexicalEncoder):
    assert encoder.stems("As redes ópticas e a REDE óptica dos usuários") == ["red", "optic", "red", "optic", "usuari"]


def test_an_acronym_in_capitals_is_no_preposition(encoder: LexicalEncoder):
    assert encoder.stems("O protocolo NAS nas redes") == ["protocol", "nas", "red"]
    assert encoder.stems("O PROTOCOLO NAS REDES") == ["protocol", "red"]


def test_words_are_split_at_underscores_and_punctuation(encoder: LexicalEncoder):
    assert encoder.stems("lamp_01 e-mail 802.11ax") == ["lamp", "01", "mail", "802", "11ax"]


def test_a_line_without_spaces_makes_a_small_vector(encoder: LexicalEncoder):
    assert len(encoder.passage("QUJDREVGRw" * 10_000).indices) < 60


def test_another_process_makes_the_same_vectors(encoder: LexicalEncoder):
    script = (
        "from shared.embeddings.lexical import LexicalEncoder as E; import sys; e = E();"
        "sys.stdout.write(repr((e.fingerprint, e.passage(sys.argv[1]))))"
    )
    other = subprocess.run(
        [sys.executable, "-c", script, PASSAGE],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert other.stdout == repr((encoder.fingerprint, encoder.passage(PASSAGE)))


def test_threads_get_the_vectors_that_one_thread_gets():
    texts = [f"{PASSAGE} palavra{i}s diferentes{i % 7}" for i in range(400)]
    alone, shared = LexicalEncoder(), LexicalEncoder()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(shared.passage, texts)) == [alone.passage(text) for text in texts]
