"""Raised and lowered characters as text of one line: 10⁹ is not 109."""

_PLAIN = "0123456789+-()"
_UP = str.maketrans(
    {**dict(zip(_PLAIN, "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾", strict=True)), "−": "⁻", "–": "⁻", "=": "⁼", "n": "ⁿ", "i": "ⁱ"}
)
_DOWN = str.maketrans({**dict(zip(_PLAIN, "₀₁₂₃₄₅₆₇₈₉₊₋₍₎", strict=True)), "−": "₋", "–": "₋", "=": "₌"})
_ORDINAL = {"o": "º", "a": "ª"}
_LIST = frozenset(" ,;*")
"""Between the numbers of notes."""


def raised(text: str) -> str:
    """A superscript: in superior characters where Unicode has them, else as `^(...)`. Words ("5th", "TM") stay, as does
    what stands in brackets ("[1]")."""
    return _written(text, _UP, "^")


def lowered(text: str) -> str:
    """A subscript, as `raised` does it, with `_(...)`."""
    return _written(text, _DOWN, "_")


def _written(text: str, characters: dict[int, str], mark: str) -> str:
    inner = text.strip()
    is_word = inner.isalpha() and (len(inner) > 1 or mark == "_")
    if all(ord(character) in characters or character in _LIST for character in inner):
        return text.translate(characters)
    if mark == "^" and inner in _ORDINAL:
        return text.replace(inner, _ORDINAL[inner])
    if is_word or not any(character.isalnum() for character in inner) or inner[0] == "[":
        return text
    return text.replace(inner, f"{mark}({inner})")
