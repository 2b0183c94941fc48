"""Text layers that say something else than what the page shows."""

import re
from dataclasses import replace

from ingest_service.parsing.pdf.lines import Line

_WORD = re.compile(r"[^\W\d_]{2,}")
# Words that no page of prose in these languages does without.
_PORTUGUESE = "de da do das dos em no na nos nas um uma para por com que se os as ao mais como não são ou foi"
_ENGLISH = "the of and to in is for that on with are be this by from it was which or at"
_SPANISH = "el la los las del en una con es su lo"
_FRENCH = "le les des et est une dans pour sur pas au du"
_GERMAN = "der die das und ist nicht ein eine mit von zu den auf im"
_COMMON = frozenset(f"{_PORTUGUESE} {_ENGLISH} {_SPANISH} {_FRENCH} {_GERMAN}".split())
_ENGLISH_SHARE = 0.1
_ENOUGH_WORDS = 50
_ENOUGH_CHARACTERS = 2000
_UNREADABLE = re.compile("[\ufffd\ue000-\uf8ff]")
_LEAST_COMMON = 0.03
_MOST_UNREADABLE = 0.2
# What a Portuguese letter of Windows-1252 becomes when its font says Mac Roman: `produÁ„o` for `produção`. The layout
# engine turns the quotation mark that stands for ã into a straight one.
_LETTERS = "áàâãéêíóôõúçÁÀÂÃÉÊÍÓÔÕÚÇ"
_MAC = {letter.encode("cp1252").decode("mac_roman"): letter for letter in _LETTERS}
_MAC_TABLE = str.maketrans(_MAC)
_STRAIGHT_QUOTE = re.compile(r'(?<=[^\W\d_])"(?=[^\W\d_])')
# A mark, or a capital after a small letter, inside a word: hardly any in honest text, in each second word else.
_ODD = '"„·‡‚˙ıÈÛÌÍÙÁÂ'
_ODD_INSIDE = re.compile(rf'(?<=[a-z])[{_ODD}](?=[a-z])|(?<=[a-z])Á["„ı](?=[a-z])')
_ENOUGH_ODD = 3


def is_broken(text: str) -> bool:
    """Whether a long text holds hardly any of the words that every text holds, or characters that mean nothing."""
    visible = len(text) - text.count(" ")
    if visible and len(_UNREADABLE.findall(text)) > _MOST_UNREADABLE * visible:
        return True
    words = _WORD.findall(text[:_ENOUGH_CHARACTERS].lower())
    return len(words) > _ENOUGH_WORDS and _share(words) < _LEAST_COMMON


def is_english(text: str) -> bool:
    """Whether English rather than Portuguese words hold the text together."""
    words = _WORD.findall(text.lower())
    english, portuguese = (sum(word in common.split() for word in words) for common in (_ENGLISH, _PORTUGUESE))
    return english > _ENGLISH_SHARE * len(words) and english > portuguese


def share_of_common_words(text: str) -> float:
    """How many of the words are those that hold sentences together in their language; 0 to 1."""
    return _share(_WORD.findall(text.lower()))


def _share(words: list[str]) -> float:
    return sum(map(_COMMON.__contains__, words)) / len(words) if words else 0.0


def without_mac_roman(lines: list[Line]) -> list[Line]:
    """The page's lines with their accents back, if their font took Windows-1252 for Mac Roman; else as they are."""
    text = " ".join(line.text for line in lines)
    if not any(mark in text for mark in _ODD):
        return lines
    odd = len(_ODD_INSIDE.findall(text))
    if odd < _ENOUGH_ODD or len(_ODD_INSIDE.findall(_from_mac(text))) > odd / 10:
        return lines
    return [
        replace(line, text=_from_mac(line.text), cells=tuple(_from_mac(cell) for cell in line.cells)) for line in lines
    ]


def _from_mac(text: str) -> str:
    return _STRAIGHT_QUOTE.sub("ã", text).translate(_MAC_TABLE)
