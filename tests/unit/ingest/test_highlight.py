"""Quotes found on pages, whatever cleaning did to them."""

from ingest_service.parsing.images.highlight import boxes_of
from ingest_service.parsing.ocr.recognised import Box

WIDTH, HEIGHT = 0.01, 0.02


def page(*lines: str) -> list[tuple[str, Box]]:
    """Characters of lines that stand one below the other."""
    return [
        (character, (column * WIDTH, row * 0.03, (column + 1) * WIDTH, row * 0.03 + HEIGHT))
        for row, line in enumerate(lines)
        for column, character in enumerate(line)
    ]


def rows(boxes: list[Box]) -> list[int]:
    return [round(top / 0.03) for _, top, _, _ in boxes]


def test_a_quote_over_two_lines_gives_two_boxes():
    boxes = boxes_of("do laboratório fica no telhado", page("A antena do laboratório", "fica no telhado azul."))
    assert rows(boxes) == [0, 1]
    assert round(boxes[0][0], 2) == 0.09
    assert round(boxes[1][2], 2) == 0.15


def test_hyphens_ligatures_case_and_accents_make_no_difference():
    assert rows(boxes_of("a comunicação é eficaz", page("A comuni-", "cac\u0327a\u0303o e\u0301 e\ufb01caz."))) == [
        0,
        1,
    ]


def test_of_a_quote_that_goes_on_over_the_page_the_part_on_it_is_marked():
    boxes = boxes_of("termina nesta folha e continua na seguinte", page("Um texto", "que termina nesta folha"))
    assert rows(boxes) == [1]


def test_words_that_were_mended_inside_a_quote_do_not_tear_it():
    boxes = boxes_of("a produção da fábrica em março", page("a produÁ~o da fábrica em março"))
    assert rows(boxes) == [0]


def test_a_quote_of_another_page_marks_nothing():
    assert boxes_of("uma frase que não está aqui", page("A antena fica no telhado.")) == []
    assert boxes_of(" - ", page("A antena - fica")) == []


def test_columns_beside_each_other_are_marked_apart():
    left = [(character, (0.01 * i, 0.1, 0.01 * (i + 1), 0.12)) for i, character in enumerate("primeira")]
    right = [(character, (0.5 + 0.01 * i, 0.1, 0.51 + 0.01 * i, 0.12)) for i, character in enumerate("coluna")]
    assert len(boxes_of("primeira coluna", left + right)) == 2
