"""Canonical text and the passages cut from it."""

from itertools import pairwise

import pytest

from ingest_service.parsing.blocks import Block, BlockKind
from ingest_service.passages.canonical import CanonicalText, canonical_text, clean
from ingest_service.passages.chunking import ENOUGH_WORDS, OVERLAP_WORDS, TITLE_CHARS, passages, searchable_text
from ingest_service.passages.sentences import MAX_WORDS, sentences, words
from tests.integration.ingest.documents import long_text


def paragraph(text: str, page: int | None = None) -> Block:
    return Block(kind=BlockKind.PARAGRAPH, text=text, page=page)


def heading(text: str, level: int = 1) -> Block:
    return Block(kind=BlockKind.HEADING, text=text, level=level)


def sentence(number: int, length: int = 12) -> str:
    return f"Frase {number} " + "palavra " * (length - 3) + "fim."


def canonical_of(*blocks: Block) -> CanonicalText:
    return canonical_text(blocks)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("produc\u0327a\u0303o", "produção"),
        ("con\u00adti\u00adnua", "continua"),
        ("e\ufb01caz \ufb02uxo", "eficaz fluxo"),
        ("\x93aspas\x94 e \x96", "“aspas” e –"),
        ("a\u00a0b\u200bc\x00d", "a bcd"),
        ("x\ud800y", "x\ufffdy"),
        ("  espaço\n\n", "espaço"),
    ],
)
def test_cleaning_leaves_the_words_in_one_spelling(raw: str, expected: str):
    assert clean(raw) == expected


def test_blocks_are_joined_by_a_blank_line_and_know_their_place():
    canonical = canonical_of(paragraph("Um."), paragraph("\u200b"), paragraph("Dois."))
    assert canonical.text == "Um.\n\nDois."
    assert [canonical.text[span.start : span.end] for span in canonical.spans] == ["Um.", "Dois."]


def test_sentences_end_where_a_reader_says_so():
    text = "O Dr. Silva mediu 3.500 MHz na Av. João de Camargo, n. 510. Deu certo! “Sim.” E agora? Fim"
    assert [text[start:end] for start, end in sentences(text)] == [
        "O Dr. Silva mediu 3.500 MHz na Av. João de Camargo, n. 510.",
        "Deu certo!",
        "“Sim.”",
        "E agora?",
        "Fim",
    ]


def test_every_passage_is_an_exact_slice_and_no_word_is_lost():
    canonical = canonical_of(*(paragraph(part) for part in long_text(40).split("\n\n")))
    cut = passages(canonical)
    assert len(cut) > 10
    covered = 0
    for passage in cut:
        assert passage.text == canonical.text[passage.start : passage.end]
        assert passage.start <= covered + 2  # nothing but the blank line between paragraphs is skipped
        covered = passage.end
    assert covered == len(canonical.text)


def test_passages_have_the_measured_size_and_overlap_by_whole_sentences():
    canonical = canonical_of(paragraph(" ".join(sentence(n) for n in range(60))))
    cut = passages(canonical)
    assert all(ENOUGH_WORDS <= words(passage.text) <= MAX_WORDS for passage in cut[:-1])
    for before, after in pairwise(cut):
        repeated = canonical.text[after.start : before.end]
        assert 0 < words(repeated) <= OVERLAP_WORDS
        assert repeated.startswith("Frase")


def test_no_passage_crosses_a_heading():
    canonical = canonical_of(
        heading("Guia"),
        paragraph("Antes."),
        heading("Rádio", 2),
        paragraph("Durante."),
        heading("Núcleo"),
        paragraph("Fim."),
    )
    assert [(passage.text, passage.heading_path) for passage in passages(canonical)] == [
        ("Antes.", ("Guia",)),
        ("Durante.", ("Guia", "Rádio")),
        ("Fim.", ("Núcleo",)),
    ]


def test_a_heading_with_nothing_under_it_can_still_be_found():
    canonical = canonical_of(heading("Capa"), heading("Parte única"), paragraph("Texto."), heading("Contracapa"))
    assert [passage.text for passage in passages(canonical)] == ["Capa", "Texto.", "Contracapa"]


def test_a_passage_stays_on_its_page():
    canonical = canonical_of(*(paragraph(sentence(n), page=n) for n in range(1, 5)))
    assert [(passage.page_start, passage.page_end) for passage in passages(canonical)] == [(n, n) for n in range(1, 5)]


def test_a_sentence_that_runs_over_the_page_stays_in_one_passage():
    canonical = canonical_of(paragraph("A frase começa aqui e", page=1), paragraph("termina ali.", page=2))
    (passage,) = passages(canonical)
    assert (passage.page_start, passage.page_end) == (1, 2)


def test_table_rows_are_never_cut():
    rows = [Block(kind=BlockKind.TABLE_ROW, text=f"Linha {n} | " + " ".join(["valor"] * 40)) for n in range(12)]
    cut = passages(canonical_of(*rows))
    assert len(cut) > 2
    assert [line for passage in cut for line in passage.text.split("\n\n")] == [row.text for row in rows]


@pytest.mark.parametrize(
    "text", ["palavra " * 1000, "x" * 20_000, "\n".join(f"campo {n}: {n * 3}" for n in range(500))]
)
def test_text_without_sentences_is_cut_too(text: str):
    canonical = canonical_of(paragraph(text))
    cut = passages(canonical)
    assert len(cut) > 3
    # A text without any space is counted by its characters, rounded for each piece.
    assert all(words(passage.text) <= MAX_WORDS * 1.1 for passage in cut)
    assert all(passage.text == canonical.text[passage.start : passage.end] for passage in cut)


def test_title_and_headings_are_searched_but_not_quoted():
    assert searchable_text("Guia", ("Guia", "Rádio"), "", "Texto.") == "Guia > Rádio\nTexto."


def test_the_head_of_a_cut_table_and_no_more_of_a_title_than_fits_go_in_front():
    above = searchable_text("T" * 500, (), "| Porta | Serviço |", "| 8000 | query |")
    assert above == "T" * TITLE_CHARS + "\n| Porta | Serviço |\n| 8000 | query |"


def table(rows: int) -> Block:
    lines = ["| Porta | Serviço |", "|---|---|", *(f"| {8000 + n} | serviço número {n} |" for n in range(rows))]
    return Block(kind=BlockKind.TABLE, text="\n".join(lines))


def test_a_short_table_is_kept_whole_with_the_sentence_above_it():
    canonical = canonical_of(paragraph("As portas são estas:"), table(5))
    (passage,) = passages(canonical)
    assert passage.text == canonical.text
    assert passage.context == ""


def test_a_long_table_is_cut_between_rows_and_each_part_knows_its_head():
    canonical = canonical_of(paragraph("As portas são estas:"), table(120))
    cut = passages(canonical)
    assert len(cut) > 3
    assert [passage.context for passage in cut] == [""] + ["| Porta | Serviço |"] * (len(cut) - 1)
    for passage in cut[1:]:
        assert all(row.startswith("| ") and row.endswith(" |") for row in passage.text.splitlines())
        assert words(passage.text) <= MAX_WORDS
    rows = [row for passage in cut for row in passage.text.splitlines() if "serviço número" in row]
    assert rows == table(120).text.splitlines()[2:]


class Letters:
    """A model that reads one token a letter."""

    def __init__(self, window: int) -> None:
        self.window = window

    def count_tokens(self, text: str) -> int:
        return len(text)


@pytest.mark.parametrize("window", [256, 512, 2048])
def test_no_passage_is_longer_than_the_models_window(window: int):
    blocks = [heading("Redes de acesso"), paragraph(long_text(20)), paragraph("0f3a" * 400), table(40)]
    canonical, model = canonical_of(*blocks), Letters(window)
    cut = passages(canonical, window=model)
    for passage in cut:
        text = searchable_text("T" * 40, passage.heading_path, passage.context, passage.text)
        assert model.count_tokens(text) <= window
        assert passage.text == canonical.text[passage.start : passage.end]
    lost = set(canonical.text.split()) - {word for passage in cut for word in passage.text.split()}
    assert not [word for word in lost if word not in "Redes de acesso" and not word.startswith("0f3a")]


def test_a_wide_window_changes_nothing():
    canonical = canonical_of(heading("Redes"), paragraph(long_text(40)), table(60))
    assert passages(canonical, window=Letters(100_000)) == passages(canonical)


@pytest.mark.parametrize(
    "text",
    [
        "a" * (1 << 20),
        "x" * 1500 + " " + "yz" * 700,
        "." * (1 << 20),
        "Dr. Sr. Prof. " * 30_000,
        "a" + "\u0301\u0327" * 100_000,
    ],
    ids=["a word", "long words", "dots", "abbreviations", "marks"],
)
@pytest.mark.timeout(20)
def test_text_made_to_take_for_ever_is_cut_in_time(text: str):
    canonical = canonical_text([Block(kind=BlockKind.PARAGRAPH, text=text)])
    cut = passages(canonical)
    assert all(passage.text == canonical.text[passage.start : passage.end] for passage in cut)
    assert all(words(passage.text) <= MAX_WORDS for passage in cut)
    kept, whole = "".join(passage.text for passage in cut), "".join(canonical.text.split())
    assert len("".join(kept.split())) >= len(whole)


def test_a_paragraph_sign_begins_a_sentence_and_a_short_form_ends_none():
    text = "O prazo é de 4 dias. § 1º Segundo Souza et al. (2020) e a Res. 12, vale o edital."
    assert [text[start:end] for start, end in sentences(text)] == [text[:20], text[21:]]
