"""The glossary file, and what it adds to a question's words."""

from pathlib import Path

import pytest

from query_service.retrieval.glossary import SHIPPED, Expansion, Glossary, read_glossary
from query_service.words.language import Language
from shared.errors import Unavailable
from tests.unit.query.samples import encoder, reader

FILE = """\
# a comment
[terms]
gNB = gNodeB = estação rádio-base   # another one
rádio = radio
AI = IA = inteligência artificial
SIM = cartão SIM

[english]
network = rede
city = cidade
data = dados
"""


@pytest.fixture
def glossary(tmp_path: Path) -> Glossary:
    file = tmp_path / "glossary.txt"
    file.write_text(FILE, encoding="utf-8")
    return read_glossary(file, reader.words)


def expand(glossary: Glossary, question: str, language: Language = "pt") -> Expansion:
    return glossary.expand(reader.asked(question), language)


def others(glossary: Glossary, question: str, language: Language = "pt") -> list[str]:
    return [other.text.removeprefix("a ") for other in expand(glossary, question, language).others]


def test_a_word_brings_the_other_forms_of_its_group(glossary: Glossary):
    assert others(glossary, "Onde fica a gNB?") == ["gNodeB", "estação rádio-base"]


def test_capitals_and_accents_do_not_matter(glossary: Glossary):
    assert others(glossary, "onde fica a GNB") == ["gNodeB", "estação rádio-base"]
    assert others(glossary, "onde fica a estacao radio-base") == ["gNB", "gNodeB"]


def test_each_word_of_a_phrase_carries_the_alternatives_of_the_whole(glossary: Glossary):
    expansion = expand(glossary, "Onde fica a estação rádio-base do Inatel?")
    ways = {word.surface: word.alternatives for word in expansion.words}
    both = (frozenset(encoder.stems("gNB")), frozenset(encoder.stems("gNodeB")))
    assert ways == {"fica": (), "estacao": both, "radio": both, "base": both, "inatel": ()}


def test_an_acronym_that_is_a_small_word_too_is_known_by_its_capitals(glossary: Glossary):
    assert others(glossary, "O que é AI?") == ["IA", "inteligência artificial"]
    assert others(glossary, "O chip SIM serve?") == ["cartão SIM"]
    assert others(glossary, "sim, serve") == []


def test_english_words_are_known_in_english_questions_only(glossary: Glossary):
    assert others(glossary, "Which networks?", "en") == ["rede"]
    assert others(glossary, "What cities?", "en") == ["cidade"]
    assert others(glossary, "Qual a data da matrícula?") == []
    assert others(glossary, "What is a gNB?", "en") == ["gNodeB", "estação rádio-base"]


def test_an_empty_glossary_changes_nothing():
    words = reader.asked("Onde fica a gNB?")
    assert Glossary().expand(words, "pt") == Expansion(words)
    assert Glossary().expand((), "en") == Expansion(())


@pytest.mark.parametrize(
    "line", ["gNB", "gNB =", "= gNB", "gNB = o que", "[termos]"], ids=["one", "end", "begin", "small words", "section"]
)
def test_a_broken_line_is_named(tmp_path: Path, line: str):
    file = tmp_path / "glossary.txt"
    file.write_text(f"[terms]\n# fine\n{line}\n", encoding="utf-8")
    with pytest.raises(Unavailable, match=r"Line 3 of the glossary .*RETRIEVAL__GLOSSARY"):
        read_glossary(file, reader.words)


def test_a_line_before_the_first_section_is_named(tmp_path: Path):
    file = tmp_path / "glossary.txt"
    file.write_text("gNB = gNodeB\n")
    with pytest.raises(Unavailable, match="Line 1 "):
        read_glossary(file, reader.words)


def test_a_file_that_is_absent_or_no_text_is_named(tmp_path: Path):
    with pytest.raises(Unavailable, match=r"RETRIEVAL__GLOSSARY.*cannot be read"):
        read_glossary(tmp_path / "absent.txt", reader.words)
    (tmp_path / "latin.txt").write_bytes("[terms]\nvazão = throughput".encode("latin-1"))
    with pytest.raises(Unavailable, match="UTF-8"):
        read_glossary(tmp_path / "latin.txt", reader.words)


def test_the_shipped_glossary_is_whole():
    shipped = read_glossary(SHIPPED, reader.words)
    assert "fatiamento de rede" in others(shipped, "What is network slicing?", "en")
    assert "latência" in others(shipped, "latency")


def test_the_shipped_glossary_knows_the_noun_of_who_does_something():
    shipped = read_glossary(SHIPPED, reader.words)
    assert "fundador" in others(shipped, "Quem fundou o Inatel?")
    assert "diretor" in others(shipped, "Quem dirige o Inatel?")
    assert "fundador" in others(shipped, "Who founded the Inatel?", "en")


def test_the_shipped_glossary_joins_plurals_that_the_stemmer_divides():
    shipped = read_glossary(SHIPPED, reader.words)
    assert "nível" in others(shipped, "Quais são os níveis de QoS?")
    assert "canais" in others(shipped, "O que é um canal?")
