"""What documents call themselves, when that says more than the name of their file."""

_GENERATED = (
    "microsoft word", "microsoft powerpoint", "powerpoint", "apresentação do powerpoint", "slide 1", "untitled",
    "sem título", "sem nome", "documento1", "document1", "word document", "(anonymous)",
)  # fmt: skip
_LONGEST = 200


def own_title(text: str) -> str:
    """A title from a document's properties in one line; empty if a program put it there, or nobody did."""
    title = " ".join(text.split())
    if not any(letter.isalpha() for letter in title) or title.lower().startswith(_GENERATED):
        return ""
    return title[:_LONGEST]
