"""How a word is spelt for comparison: `Educação`, `EDUCAÇÃO` and `educacao` are the same."""

import unicodedata


def fold(text: str) -> str:
    """Lower case without accents; compatibility forms are resolved (`ﬁ` is `fi`, `m²` is `m2`)."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
