"""A set of ten passages whose figures can be worked out by hand: each question shares words with its passages alone."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

PASSAGES = {
    "p0": ("Regulamento", "A matrícula deve ser renovada em janeiro."),
    "p1": ("Regulamento", "A monitoria dura dez meses."),
    "p2": ("Laboratório", "O osciloscópio custou quatro mil reais."),
    "p3": ("Laboratório", "A câmara anecoica foi construída em 1998."),
    "p4": ("Biblioteca", "O empréstimo vale quinze dias."),
    "p5": ("Biblioteca", "A multa do atraso é de dois reais."),
    "p6": ("Refeitório", "O almoço começa ao meio-dia."),
    "p7": ("Refeitório", "O jantar termina às vinte horas."),
    "p8": ("Transporte", "O ônibus parte da praça central."),
    "p9": ("Transporte", "A bicicleta fica no galpão azul."),
}
QUESTIONS = [
    ("q0", "dev", "Quando a matrícula é renovada?", ["p0"], ["janeiro"]),
    ("q1", "dev", "Quanto tempo dura a monitoria?", ["p1"], ["dez meses"]),
    ("q2", "test", "Quanto custou o osciloscópio?", ["p2"], ["quatro mil reais"]),
    ("q3", "test", "Quando a câmara anecoica foi construída?", ["p3"], ["1998"]),
    ("q4", "test", "De onde parte o ônibus?", ["p8"], ["praça central"]),
    # Its words stand in another passage only, so it is never found.
    ("q5", "test", "Onde fica a bicicleta?", ["p7"], ["vinte horas"]),
]


def write(folder: Path) -> Path:
    """The set as the folder that `xgtwin eval` reads."""
    folder.mkdir(exist_ok=True)
    _lines(folder / "passages.jsonl", [{"id": i, "title": t, "text": x} for i, (t, x) in PASSAGES.items()])
    keys = ("id", "split", "question", "gold", "answers")
    _lines(folder / "questions.jsonl", [dict(zip(keys, line, strict=True)) for line in QUESTIONS])
    unanswerable = [{"id": "u0", "split": "test", "question": "Qual é a capital da Austrália?"}]
    _lines(folder / "questions_unanswerable.jsonl", unanswerable)
    return folder


def _lines(file: Path, lines: Sequence[Mapping[str, object]]) -> None:
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
