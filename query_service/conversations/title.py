"""The title of a conversation: one line, short enough for a list."""

TITLE_CHARS = 80


def title_of(text: str) -> str:
    """`text` on one line, cut at a word when it is long."""
    line = " ".join(text.split())
    if len(line) <= TITLE_CHARS:
        return line
    head = line[:TITLE_CHARS]
    words = head.rpartition(" ")[0]
    return (words or head[:-1]).rstrip(" ,;:.") + "…"
