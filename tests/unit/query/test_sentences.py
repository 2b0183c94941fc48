import pytest

from query_service.words.sentences import sentences

WHOLE = [
    "O Dr. Silva coordena o laboratório.",
    "A Profa. Ana e o Prof. João orientam alunos.",
    "O disposto no Art. 5º vale para todos.",
    "A faixa de 3,5 GHz foi leiloada em 2021.",
    "Há redes privativas, p. ex. em fábricas e portos.",
    "A Lei nº 9.472 criou a agência.",
    "O investimento foi de R$ 60.000.000,00 ao todo.",
    "Segundo J. R. Souza, a latência caiu.",
    "Ver pp. 12 a 14 e Fig. 3 do anexo.",
    "A versão 5.0 acrescentou códigos de motivo.",
    "O texto está em www.exemplo.org e no anexo.",
    "Os EUA (cf. Tab. 2) e a China lideram.",
    "A UIT, i.e. a agência das Nações Unidas, fica em Genebra.",
]
CUT = [
    ("O 5G é rápido. O 6G será mais.", 2),
    ("Funciona? Sim! Sempre.", 3),
    ("Foi em 1965. Em 2023 nasceu o centro.", 2),
    ("Ele disse: “O sinal caiu.” Depois saiu.", 2),
    ("Usa portas 80, 443 etc. O resto é fechado.", 2),
    ("Um parágrafo\nque segue na linha de baixo. Outro.", 2),
    ("Título sem ponto\n\nTexto do parágrafo.", 2),
    ("Itens:\n- um;\n- dois.", 3),
    ("Nome | Porta\n\nquery | 8000. Ask", 2),
    ("# Título\nTexto.", 2),
    ("A rede cobre 5 km. A torre fica no centro.", 2),
    ("São dez quadros de 1 ms. Cada um tem 14 símbolos.", 2),
]


def cut(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentences(text)]


@pytest.mark.parametrize("text", WHOLE)
def test_abbreviations_initials_and_numbers_do_not_end_a_sentence(text):
    assert cut(text) == [text]


@pytest.mark.parametrize(("text", "count"), CUT)
def test_sentences_items_headings_and_rows_are_told_apart(text, count):
    assert len(cut(text)) == count, cut(text)


@pytest.mark.parametrize("text", WHOLE + [text for text, _ in CUT])
def test_nothing_but_white_space_is_lost_between_sentences(text):
    assert "".join("".join(cut(text)).split()) == "".join(text.split())


def test_empty_text_has_no_sentences():
    assert cut("") == cut(" \n\n ") == []
