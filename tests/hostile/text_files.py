"""Texts without end, without spaces, without sense; tables too wide; Markdown that regular expressions choke on."""

from tests.hostile.case import ANYTHING, READY, REFUSED, TOO_MUCH, TURNED_AWAY, Cases

case = Cases()

MAX_FILE_MB = 20
"""What the tests set INGEST__MAX_FILE_MB to."""
PAGES = 10_000


@case("linha.txt", REFUSED, says=("INGEST__MAX_FILE_MB",))
def a_line_over_the_limit() -> bytes:
    return b"x" * ((MAX_FILE_MB << 20) + 1)


@case("palavra.txt", ANYTHING, says=TOO_MUCH)
def a_word_of_ten_megabytes() -> bytes:
    return b"a" * (10 << 20)


@case("paginas.txt", TURNED_AWAY, says=("INGEST__MAX_PAGES",))
def ten_thousand_pages() -> bytes:
    return "\f".join(f"Página {n}: uma linha curta." for n in range(PAGES)).encode()


@case("pontos.txt", ANYTHING, says=TOO_MUCH)
def a_megabyte_of_dots() -> bytes:
    return b"." * (1 << 20) + b" Fim."


@case("abreviaturas.txt", ANYTHING, says=TOO_MUCH)
def nothing_but_abbreviations() -> bytes:
    return b"Dr. Sr. Prof. " * 60_000


@case("itens.md", ANYTHING, says=TOO_MUCH)
def a_hundred_thousand_list_items() -> bytes:
    return b"".join(b"- item %d\n" % n for n in range(100_000))


@case("nulos.txt", ANYTHING, says=("binary",))
def text_with_nul_bytes() -> bytes:
    return b"antes\x00depois " * 1000


@case("tarde.txt", ANYTHING, says=("binary", "damaged"), finds="siriguela")
def nul_bytes_after_a_long_honest_start() -> bytes:
    return b"A siriguela honesta. " * 1000 + bytes(100_000)


@case("avesso.txt", READY, finds="jenipapo")
def text_that_is_shown_backwards() -> bytes:
    return "O jenipapo \u202efdp.exe\u202c \u2066\u2067\u2068 vira.\u2069 \u200b\ufeff\u00ad fim".encode()


@case("zalgo.txt", READY, finds="jenipapo")
def letters_under_a_thousand_accents() -> bytes:
    return ("O jenipapo " + "a" + "\u0301\u0327\u0334" * 30_000 + " fim.").encode()


@case("utf7.txt", READY)
def text_in_utf_7() -> bytes:
    return b"Um +ADw-script+AD4-aviso(1)+ADw-/script+AD4- e fim."


@case("utf16.txt", ANYTHING, says=("binary", "UTF-16"))
def utf_16_without_a_mark() -> bytes:
    return ("O jenipapo em dezesseis bits. " * 50).encode("utf-16-le")


@case("meio.txt", READY, finds="jenipapo")
def half_characters() -> bytes:
    return b"O jenipapo \xed\xa0\x80\xed\xbf\xbf \xc0\xaf \xf8\x88\x80\x80\x80 \xff\xfe partido. " * 100


@case("largo.csv", ANYTHING, says=(*TOO_MUCH, "columns"))
def a_million_columns() -> bytes:
    return b"valor;" * 1_000_000 + b"\n" + b"1;" * 1_000_000


@case("formulas.csv", READY, finds="butiá")
def formulas_that_a_spreadsheet_would_run() -> bytes:
    return "nome;valor\nbutiá;=cmd|'/c calc'!A1\n=WEBSERVICE(A1);@SUM(1)\n-2+3;\t=1\n".encode()


@case("aspas.csv", ANYTHING, says=(*TOO_MUCH, "damaged"))
def a_quote_that_never_closes() -> bytes:
    return b'nome;valor\n"' + b"aberto;1\n" * 500_000


@case("colchetes.md", ANYTHING, says=TOO_MUCH)
def brackets_in_brackets() -> bytes:
    return b"[" * 50_000 + b"a" + b"](b)" * 50_000


@case("enfase.md", ANYTHING, says=TOO_MUCH)
def emphasis_in_emphasis() -> bytes:
    return b"*a **a " * 50_000 + b"a** a*" * 50_000 + b"\n\n" + b"a***" * 20_000


@case("citacao.md", ANYTHING, says=TOO_MUCH)
def quotes_in_quotes() -> bytes:
    return b">" * 100_000 + b" fundo\n\n" + b"".join(b" " * n + b"* a\n" for n in range(2000))


@case("crases.md", ANYTHING, says=TOO_MUCH)
def backticks_that_never_match() -> bytes:
    return b"".join(b"e" + b"`" * n for n in range(1, 3000))


@case("tabela.md", ANYTHING, says=TOO_MUCH)
def a_markdown_table_of_thirty_thousand_columns() -> bytes:
    return b"|" + b"a|" * 30_000 + b"\n|" + b"-|" * 30_000 + b"\n" + b"|x\n" * 500


@case("referencias.md", ANYTHING, says=TOO_MUCH)
def references_to_references() -> bytes:
    return b"".join(b"[a%d]: /u\n" % n for n in range(20_000)) + b"[a" * 20_000 + b"\n\n" + b"<!--" * 20_000
