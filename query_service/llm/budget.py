"""How much text a model's window takes."""

from dataclasses import dataclass

from shared.errors import Unavailable

CHARS_PER_TOKEN = 3
"""Of Portuguese text, three tokenizers (cl100k, Anthropic's, an English WordPiece) make 2.9 to 3.8 characters a token
on average over 1,500 passages; one passage in a hundred has less than 2.5 to 3.1."""
RESERVE = 0.05
"""Of the window, for the chat template, which we do not see, and for denser passages than the average."""


def tokens(text: str) -> int:
    """At least as many as most tokenizers make of `text`. Digits count one each, as some models read them singly."""
    # Bytes and not characters: writing systems that take three bytes a character take about a token for each.
    digits = sum(character.isdigit() for character in text)
    return digits + -(-(len(text.encode()) - digits) // CHARS_PER_TOKEN)


def cut(text: str, limit: int) -> str:
    """The beginning of `text` that has at most `limit` tokens, ended at a word."""
    if tokens(text) <= limit:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if tokens(text[:middle]) <= limit else (low, middle - 1)
    head, _, broken = text[:low].rpartition(" ")
    return (head or broken).rstrip()


@dataclass(frozen=True, slots=True)
class Window:
    """A model's window in tokens, and the part of it that its answer may take: at most half, else `Unavailable`."""

    context: int
    answer: int

    def __post_init__(self) -> None:
        if self.answer > self.context // 2:
            raise Unavailable(
                f"LLM__MAX_TOKENS ({self.answer}) is more than half of LLM__CONTEXT_TOKENS ({self.context}): lower the "
                "one, or raise the other if the model's window is larger."
            )

    @property
    def prompt(self) -> int:
        """Tokens that a prompt may have."""
        return self.context - self.answer - int(self.context * RESERVE)
