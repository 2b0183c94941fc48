"""Text from documents and people, so written that a model cannot take it for the frame around it."""

import re

# Zero-width, direction and tag characters, variation selectors and controls: instructions hide in what nobody sees.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
_OPENING = re.compile(r"<(?![\s\d=]|\Z)")
"""As in <<end, <|im_start|>, </s>, <start_of_turn>, <!-- and HTML; "< 1 ms" and "<= 4" stay."""
_BRACKETED = re.compile(r"\[(\s*\^?\d+(?:\s*[,;–-]\s*\d+)*\s*|/?[A-Z][A-Z_]{2,})\]")
"""[3] would become a citation of ours if the model repeats it; [INST] and its kin are words of chat templates."""


def visible(text: str) -> str:
    """Without the characters that nobody sees."""
    return _INVISIBLE.sub("", text)


def unbracketed(text: str) -> str:
    """`[3]` as `(3)`: in an answer, `[n]` is a citation and nothing else is."""
    return _BRACKETED.sub(r"(\1)", text)


def neutral(text: str) -> str:
    """Readable as before, but without delimiters, chat-template tokens, citations and hidden characters."""
    return unbracketed(_OPENING.sub("‹", visible(text)).replace(">>", "››"))
