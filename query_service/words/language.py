"""Portuguese or English? Enough to choose the words of a refusal and the language that a model is asked for."""

import re
from typing import Literal

Language = Literal["pt", "en"]

# Function words that the two languages do not share ("a", "as", "do", "no", "me" are in both and say nothing).
_PORTUGUESE_WORDS = """
    o os um uma de da das dos em na nas nos por para com sem que qual quais quem quando onde como porque quanto
    quantos quanta quantas e é são foi ser está tem há não se ao aos à às pelo pela isso este esta eu você
"""
_ENGLISH_WORDS = """
    the an of in on at to for with without what which who whom when where why how is are was were be been does did
    can could should would has have had it its this that these those and or not from by you i there tell about
"""
_PORTUGUESE = frozenset(_PORTUGUESE_WORDS.split())
_ENGLISH = frozenset(_ENGLISH_WORDS.split())


def language_of(text: str) -> Language:
    """The language with more function words in `text`; Portuguese when in doubt, as the documents are."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    english = sum(word in _ENGLISH for word in words)
    portuguese = sum(word in _PORTUGUESE for word in words)
    return "en" if english > portuguese else "pt"
