"""What a text-to-speech voice is given."""

import pytest

from query_service.answering import wording
from query_service.answering.speech import MAX_CHARS, spoken
from query_service.events import Reason


def test_speech_has_no_markdown_no_citations_and_no_addresses():
    text = "## Título\n\n- O **5G** é uma *rede* [1][2], veja [o guia](http://x.y).\n\n| a | b |\n|---|---|\n"
    assert spoken(text, "pt") == "Título O 5G é uma rede, veja o guia."


def test_speech_stops_after_a_whole_sentence():
    text = " ".join(f"Esta é a frase número {n}, que diz alguma coisa sobre a rede. [1]" for n in range(20))
    said = spoken(text, "pt")
    assert len(said) <= MAX_CHARS
    assert said.endswith("rede.")


def test_an_unfinished_last_sentence_is_not_said():
    assert spoken("A sala tem duas antenas [1]. A cobertura é de…", "pt") == "A sala tem duas antenas."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("| Nome | Ganho |\n|---|---|\n| A | 3 dB | [1]", "Nome Ganho A 3 dB"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("Veja [o site](javascript:alert(1)) agora.", "Veja o site agora."),
        ("[x] O projeto tem 1 disp./km².", "O projeto tem 1 disp. por quilômetro quadrado."),
    ],
)
def test_something_is_said_of_everything_and_no_markup(text, said):
    assert spoken(text, "pt") == said


def test_speech_of_one_endless_sentence_is_cut_at_a_word():
    said = spoken("palavra " * 200, "pt")
    assert len(said) <= MAX_CHARS
    assert said.endswith("palavra.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("O pico é de 20 Gbit/s.", "O pico é de 20 gigabits por segundo."),
        ("Chega a 100 Mbps a 500 km/h.", "Chega a 100 megabits por segundo a 500 quilômetros por hora."),
        ("São 30 bit/s/Hz.", "São 30 bits por segundo por hertz."),
        ("Latência ≤ 1 ms e taxa ≥ 99%.", "Latência no máximo 1 ms e taxa no mínimo 99%."),
        (
            "São 10⁶ dispositivos/km² em 5 km².",
            "São 10⁶ dispositivos por quilômetro quadrado em 5 quilômetros quadrados.",
        ),
        ("Da antena → do núcleo.", "Da antena, depois do núcleo."),
        ("De 24–52 GHz, ±2 dB.", "De 24 a 52 GHz, mais ou menos 2 dB."),
        ("Escreva a lab@inatel.br ou veja www.inatel.br.", "Escreva a ou veja."),
        ("Use a interface A1 e/ou a porta 8000.", "Use a interface A1 e/ou a porta 8000."),
        ("Em 5 ms, a 3,5 GHz.", "Em 5 ms, a 3,5 GHz."),
    ],
)
def test_signs_and_units_are_said_in_words_and_what_voices_read_well_stays(text, said):
    assert spoken(text, "pt") == said


def test_an_english_answer_is_said_in_english():
    assert spoken("Up to 20 Gbit/s at ≥ 500 km/h.", "en") == (
        "Up to 20 gigabits per second at at least 500 kilometres per hour."
    )


@pytest.mark.parametrize("language", ["pt", "en"])
@pytest.mark.parametrize("reason", [Reason.NO_EVIDENCE, Reason.LOW_SCORE, Reason.PENDING_DOCUMENTS])
def test_refusals_are_spoken_whole(reason, language):
    text = wording.refusal(reason, language, nearest=["Guia do 5G"], pending=["medidas.pdf"])
    assert spoken(text, language) == text
