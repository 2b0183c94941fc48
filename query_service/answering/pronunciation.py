"""Signs and units in words where a text-to-speech voice would stumble; what it reads well ("5 ms", "3 GHz") stays."""

import re
from collections.abc import Mapping, Sequence

from query_service.words.language import Language

_PREFIXES = {"": "", "k": "quilo", "M": "mega", "G": "giga", "T": "tera"}
_ENGLISH_PREFIXES = {**_PREFIXES, "k": "kilo"}
_RATE = re.compile(r"\b([kMGT]?)(?:bit/s|bps|b/s)(/Hz)?(?!\w)")
_AREA = re.compile(r"(?<=\d)\s*(km|m)(?:²|2\b)|\b(km|m)²")
_PER_AREA = re.compile(r"(?<=[\w.])\s*/\s*(km|m)(?:²|2\b)")
_ADDRESS = re.compile(r"\(?\b(?:https?://|www\.)\S*[^\s.,;:!?]|<?\b[\w.+-]+@[\w-]+\.[\w.-]*\w>?")
_NUMBER_RANGE = re.compile(r"(?<=\d)\s?–\s?(?=\d)")

_RATES: Mapping[Language, tuple[str, str]] = {
    "pt": ("bits por segundo", " por hertz"),
    "en": ("bits per second", " per hertz"),
}
_AREAS: Mapping[Language, Mapping[str, str]] = {
    "pt": {"km": "quilômetro quadrado", "m": "metro quadrado"},
    "en": {"km": "square kilometre", "m": "square metre"},
}
_PLURAL_AREAS: Mapping[Language, Mapping[str, str]] = {
    "pt": {"km": "quilômetros quadrados", "m": "metros quadrados"},
    "en": {"km": "square kilometres", "m": "square metres"},
}
_PER: Mapping[Language, str] = {"pt": " por ", "en": " per "}
_TO: Mapping[Language, str] = {"pt": " a ", "en": " to "}
_PORTUGUESE_SIGNS = (
    (r"\bkm/h\b", "quilômetros por hora"),
    (r"\bm/s\b", "metros por segundo"),
    (r"\s*°\s?C\b", " graus Celsius"),
    (r"[µμ]s\b", "microssegundos"),
    (r"\s*(?:≥|>=)\s*", " no mínimo "),
    (r"\s*(?:≤|<=)\s*", " no máximo "),
    (r"\s*(?:→|->|⇒)\s*", ", depois "),
    (r"\s*>\s*(?=\d)", " mais de "),
    (r"\s*<\s*(?=\d)", " menos de "),
    (r"(?:≈|~)\s*(?=\d)", "cerca de "),
    (r"±\s*", "mais ou menos "),
    (r"\s*×\s*", " vezes "),
    (r"\s+&\s+", " e "),
)
_ENGLISH_SIGNS = (
    (r"\bkm/h\b", "kilometres per hour"),
    (r"\bm/s\b", "metres per second"),
    (r"\s*°\s?C\b", " degrees Celsius"),
    (r"[µμ]s\b", "microseconds"),
    (r"\s*(?:≥|>=)\s*", " at least "),
    (r"\s*(?:≤|<=)\s*", " at most "),
    (r"\s*(?:→|->|⇒)\s*", ", then "),
    (r"\s*>\s*(?=\d)", " more than "),
    (r"\s*<\s*(?=\d)", " less than "),
    (r"(?:≈|~)\s*(?=\d)", "about "),
    (r"±\s*", "plus or minus "),
    (r"\s*×\s*", " times "),
    (r"\s+&\s+", " and "),
)
_SIGNS: Mapping[Language, Sequence[tuple[re.Pattern[str], str]]] = {
    "pt": [(re.compile(sign), said) for sign, said in _PORTUGUESE_SIGNS],
    "en": [(re.compile(sign), said) for sign, said in _ENGLISH_SIGNS],
}


def pronounced(text: str, language: Language) -> str:
    """`text` with units and signs in words of `language`, without web and e-mail addresses."""
    text = _ADDRESS.sub("", text)
    text = _RATE.sub(lambda rate: _rate(rate, language), text)
    text = _PER_AREA.sub(lambda area: _PER[language] + _AREAS[language][area[1]], text)
    text = _AREA.sub(lambda area: f" {_PLURAL_AREAS[language][area[1] or area[2]]}", text)
    text = _NUMBER_RANGE.sub(_TO[language], text)
    for sign, said in _SIGNS[language]:
        text = sign.sub(said, text)
    return re.sub(r"\s+([.,;:])", r"\1", " ".join(text.split()))


def _rate(rate: re.Match[str], language: Language) -> str:
    bits, per_hertz = _RATES[language]
    prefix = (_ENGLISH_PREFIXES if language == "en" else _PREFIXES)[rate[1]]
    return prefix + bits + (per_hertz if rate[2] else "")
