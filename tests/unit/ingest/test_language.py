"""Which language a document is written in."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest_service.passages.language import language_of

PORTUGUESE = "A estação rádio base do laboratório transmite em 3,5 GHz e atende até dez usuários ao mesmo tempo."
ENGLISH = "The base station of the laboratory transmits at 3.5 GHz and serves up to ten users at the same time."
SPANISH = "La estación base del laboratorio transmite a 3,5 GHz y atiende hasta diez usuarios al mismo tiempo."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PORTUGUESE, "pt"),
        (ENGLISH, "en"),
        (SPANISH, "es"),
        (ENGLISH + "\n" + PORTUGUESE * 60, "pt"),
        ("Equipamento, sala, patrimônio. Analisador de espectro, sala 12. Gerador de sinais, sala 14.", None),
        ("A-12 B-13 C-14 " * 30, None),
        ("Ata.", None),
        ("", None),
    ],
)
def test_the_language_is_told_where_there_is_enough_to_tell(text: str, expected: str | None):
    assert language_of(text) == expected


def test_many_threads_may_ask_at_once():
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(language_of, [PORTUGUESE] * 16 + [ENGLISH] * 16)) == {"pt", "en"}
