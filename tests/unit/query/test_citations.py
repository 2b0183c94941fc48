import time

import pytest

from query_service.answering.citations import MarkerFilter
from tests.unit.query.samples import INGEST, citer, passage

FIRST = passage("O 5G nasceu em 2018. A latência do 5G é baixa. O espectro vai até 71 GHz.", document="a.pdf")
SECOND = passage("O 6G virá em 2030.", document="b.pdf")


def filtered(passages: int, *pieces: str) -> str:
    markers = MarkerFilter(passages)
    return "".join([*(markers.feed(piece) for piece in pieces)])


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (["O 5G nasceu em 2018 [1]."], "O 5G nasceu em 2018 [1]."),
        (["O 5G", " nasceu [", "1", "]", " em 2018."], "O 5G nasceu [1] em 2018."),
        (["Errado [7]."], "Errado."),
        (["Errado ", "[", "0", "]."], "Errado."),
        (["Dois [1, 2] e um [2,9]."], "Dois [1][2] e um [2]."),
        (["Um colchete [assim] fica."], "Um colchete [assim] fica."),
        (["Cortado no meio [1"], "Cortado no meio"),
        (["a ", "b ", "c"], "a b c"),
        (["Todos [1-2], [1 e 2], [1; 2], 【1】."], "Todos [1][2], [1][2], [1][2], [1]."),
        (["Todos [", "2–", "9", "] e [1 ", "and 2]."], "Todos [2] e [1][2]."),
        (["De [0-999999999] nada, de [" + "9" * 30 + "] tampouco."], "De [1][2] nada, de [" + "9" * 30 + "] tampouco."),
        (["Um colchete [e] fica."], "Um colchete [e] fica."),
        (["Os documentos não respondem ", "a isso [1]."], "Os documentos não respondem a isso."),
        (["É de 1965 [1]. The passages do not mention it. [2]"], "É de 1965 [1]. The passages do not mention it."),
        (["O texto não diz o ano, mas cita março [1]."], "O texto não diz o ano, mas cita março [1]."),
        (["Não há limite de idade [1]."], "Não há limite de idade [1]."),
        (["a" + " " * 99 + "[1]"], "a" + " " * 50 + "[1]"),
    ],
)
def test_markers_that_point_nowhere_disappear_however_the_text_is_cut(pieces, shown):
    assert filtered(2, *pieces) == shown


@pytest.mark.parametrize("size", [1, 60_000])
def test_blanks_without_end_cost_little(size):
    markers = MarkerFilter(2)
    blanks = " " * 60_000
    begun = time.monotonic()
    for at in range(0, len(blanks), size):
        markers.feed(blanks[at : at + size])
    assert markers.feed("[1].") == " " * 50 + "[1]."
    assert time.monotonic() - begun < 10  # a second; it was most of a minute


def test_the_quote_is_the_sentence_that_supports_the_claim():
    answer = "A latência é baixa no 5G [1]. O 6G virá em 2030 [2]."
    first, second = citer.support(answer, [FIRST, SECOND])
    assert (first.n, first.quote, first.filename) == (1, "A latência do 5G é baixa.", "a.pdf")
    assert (second.n, second.quote) == (2, "O 6G virá em 2030.")


def test_neighbouring_markers_stand_behind_the_same_claim():
    proofs = citer.support("O 6G virá em 2030 [1][2].", [FIRST, SECOND])
    assert [proof.n for proof in proofs] == [1, 2]
    assert proofs[1].quote == "O 6G virá em 2030."


def test_a_marker_after_the_full_stop_belongs_to_the_sentence_before_it():
    (proof,) = citer.support("O espectro vai até 71 GHz. [1]", [FIRST])
    assert proof.quote == "O espectro vai até 71 GHz."


def test_each_passage_is_cited_once_and_text_without_markers_has_no_citation():
    assert [proof.n for proof in citer.support("Um [1]. Outro [1].", [FIRST])] == [1]
    assert citer.support("Os documentos não respondem.", [FIRST]) == []


def test_a_citation_shows_its_page_with_the_quote_marked():
    page = passage("O 5G nasceu em 2018. A latência é baixa.", start=100, page_start=7, media_type="application/pdf")
    (proof,) = citer.support("A latência é baixa [1].", [page])
    assert proof.page_image == f"{INGEST}/documents/{page.chunk.document_id}/pages/7.png?highlight=121-140&version=1"
    assert page.chunk.text[21:40] == proof.quote


@pytest.mark.parametrize(
    "more", [{"media_type": "text/markdown"}, {"media_type": "application/pdf"}, {"page_start": 1}]
)
def test_what_has_no_page_image_names_none(more):
    (proof,) = citer.support("A latência é baixa [1].", [passage("A latência é baixa.", **more)])
    assert proof.page_image == ""
