"""What is kept of a web page: all that a reader came for, and nothing that changes from visit to visit."""

import pytest
from lxml import html

from ingest_service.parsing.errors import EmptyDocument
from ingest_service.parsing.markup.main_content import MAX_TITLE_CHARS, read_page

PROSE = "O laboratório mede antenas desde 2019 e recebe visitas às quintas-feiras, mediante inscrição na secretaria. "


def page(body: str, head: str = "<title>Página</title>") -> bytes:
    menu = "<nav><ul><li><a href='/'>Início</a></li><li><a href='/b'>Cursos</a></li></ul></nav>"
    return f"<!doctype html><html><head>{head}</head><body>{menu}{body}<footer>Rodapé</footer></body></html>".encode()


def kept(data: bytes, content_type: str = "text/html") -> str:
    text: str = html.document_fromstring(read_page(data, content_type).document).text_content()
    return text


@pytest.mark.parametrize(
    "shape",
    [
        "<table>{}</table>|<tr><td>Turma {n}</td><td>Sala de ensaio {n}</td></tr>",
        "<ul>{}</ul>|<li><a href='/d{n}'>Documento {n} do arquivo do laboratório</a></li>",
        "<div>{}</div>|Frase {n} do texto, com várias palavras.<br><br>",
        "<main>{}</main>|<article><h2>Notícia {n}</h2><p>Texto {n}. " + PROSE + "</p></article>",
        "<div>{}</div>|<div>Parágrafo {n}. " + PROSE + "</div>",
        "<section>{}</section>|<details><summary>Pergunta {n}?</summary><p>Resposta {n}. " + PROSE + "</p></details>",
        "<dl>{}</dl>|<dt>Termo {n}</dt><dd>Definição {n}. " + PROSE + "</dd>",
        "<form><div>{}</div></form>|<p>Item {n}. " + PROSE + "</p>",
    ],
)
def test_nothing_of_the_content_is_lost_whatever_its_shape(shape: str):
    around, each = shape.split("|")
    text = " ".join(kept(page(around.format("".join(each.replace("{n}", str(n)) for n in range(30))))).split())
    for n in range(30):
        for words in html.fragment_fromstring(each.replace("{n}", str(n)), create_parent=True).itertext():
            assert " ".join(words.split()) in text


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("<details><summary>Como?</summary>Envie o diploma.</details>", "Envie o diploma."),
        ("<figure><img src=a><figcaption>O campus da universidade.</figcaption></figure>", "O campus"),
        ("<div>Texto solto com o <b>prazo</b>.</div>", "Texto solto com o prazo."),
        ("<p>Inscrições até <time>30 de junho</time> no portal.</p>", "até 30 de junho no"),
        ("<p>São 10<sup>9</sup> bits.</p>", "10⁹ bits"),
        ("<table><caption>Calendário</caption><tr><td>Prova</td><td>12/07</td></tr></table>", "Calendário"),
    ],
)
def test_a_lone_part_of_an_article_is_not_lost(part: str, words: str):
    text = kept(page(f"<main><article><h1>Título</h1>{f'<p>{PROSE * 3}</p>' * 4}{part}</article></main>"))
    assert words in " ".join(text.split())
    assert "Rodapé" not in text


def test_content_that_the_extraction_does_not_believe_in_is_kept():
    cells = "".join(f"<div class=comment><span>Regra {n}. {PROSE}</span></div>" for n in range(20))
    assert "Regra 19." in kept(page(f"<main><h1>Regras</h1><p>{PROSE * 3}</p>{cells}</main>"))


def test_the_same_content_is_the_same_bytes_whatever_surrounds_it():
    body = f"<article><h1>Título</h1><p>{PROSE * 3}</p></article>"
    first = page(f"<div class='ad' id='x1'>Anúncio um</div>{body}", "<title>Página</title><meta name=csrf content=a>")
    second = page(f"<!-- 12:01 --><script>token='b'</script>{body}", "<title>Página</title><meta name=csrf content=b>")
    assert read_page(first, "text/html").document == read_page(second, "text/html").document


def test_what_lies_very_deep_is_kept():
    assert "secretaria" in kept(page("<div>" * 1500 + PROSE * 5 + "</div>" * 1500))


def test_many_attributes_cost_no_time():
    attributes = " ".join(f"a{number}=1" for number in range(8_000))
    assert "secretaria" in kept(page(f"<p {attributes}>{PROSE * 5}</p>"))


@pytest.mark.parametrize("empty", [b" ", b"<html></html>", b"<!-- so -->", b"<title>App</title><script>x()</script>"])
def test_a_page_without_a_word_is_empty(empty: bytes):
    with pytest.raises(EmptyDocument):
        read_page(empty, "text/html")


def test_a_title_is_one_short_line_and_no_markup():
    found = read_page(
        page(f"<p>{PROSE * 3}</p>", "<title>A &lt;b&gt; &amp;\n c" + "d" * 9999 + "</title>"), "text/html"
    )
    assert found.title.startswith("A <b> & c")
    assert len(found.title) == MAX_TITLE_CHARS
    assert b"<title>A &lt;b&gt; &amp; c" in found.document


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("text/html; charset=ISO-8859-15", "iso8859-15"),
        ("text/html;charset='windows-1252'", "cp1252"),
        ("text/html; charset=iso-8859-1", "utf-8"),
        ("text/html; charset=no-such", "cp1252"),
        ("text/html", "utf-16"),
    ],
)
def test_the_header_says_the_encoding_unless_the_bytes_say_better(content_type: str, encoding: str):
    assert "A produção de ações" in kept(
        page(f"<p>A produção de ações. {PROSE}</p>").decode().encode(encoding), content_type
    )
