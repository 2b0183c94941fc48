"""Text for a client's screen: nothing in it is loaded, followed or run without being asked for.

A document can tell a language model to write an image whose address carries the conversation to a stranger. So images
and HTML never pass, and an address passes only if a passage has it literally: then it carries nothing.
"""

import re
from collections.abc import Sequence

from query_service.llm.neutral import unbracketed, visible
from shared.models import ScoredChunk

REMOVED = "…"
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\(\s{0,9}<?([^\s()<>]*)>?(?:\s{1,9}\"[^\"\n]*\"|\s{1,9}'[^'\n]*')?\s{0,9}\)")
_LINK_REST = re.compile(r"\](?=\()")
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{0,40}:/{1,2}|\bwww\.|\bdata:[a-z]+/|\bjavascript:)[^\s<>\"'«»‹]*", re.IGNORECASE
)
_SCHEME = re.compile(r"(?:[a-z]+://)?(?:www\.)?", re.IGNORECASE)
_TAG = re.compile(r"<(?![\s\d=])")
_PUNCTUATION = ".,;:!?)]}*_"
_UNFINISHED = re.compile(r"(?:!?\[[^\[\]\n]{0,200}(?:\](?:\([^()\n]{0,500}\)?)?)?|(?<!\S)\S+)\Z")
"""A word may be the beginning of an address, a bracket that of a link."""
HELD_CHARS = 3000
"""Of one word; a longer one is cleaned and shown as it stands, and what follows has lost its scheme."""


class SafeText:
    """Lets an answer's text through as it streams, whole words at a time."""

    def __init__(self, passages: Sequence[ScoredChunk]) -> None:
        self._known = "\n".join(f"{passage.chunk.context}\n{passage.chunk.text}" for passage in passages).lower()
        self._held = ""

    def feed(self, piece: str) -> str:
        """The text that is certain so far."""
        self._held += piece
        unfinished = _UNFINISHED.search(self._held)
        cut = unfinished.start() if unfinished else len(self._held)
        if len(self._held) - cut > HELD_CHARS:
            cut = len(self._held)
        text, self._held = self._held[:cut], self._held[cut:]
        return self._cleaned(text)

    def rest(self) -> str:
        """What was held back, at the end."""
        text, self._held = self._held, ""
        return self._cleaned(text)

    def _cleaned(self, text: str) -> str:
        text = _LINK_REST.sub("] ", _LINK.sub(self._link, visible(text)))
        return _TAG.sub("‹", _ADDRESS.sub(self._address, text))

    def _link(self, link: re.Match[str]) -> str:
        label, target = link[1], link[2]
        if label.isdigit() and not link[0].startswith("!"):
            return f"[{label}]"
        return f"{label} ({target})" if target.startswith("http") and not link[0].startswith("!") else label

    def _address(self, found: re.Match[str]) -> str:
        address = found[0].rstrip(_PUNCTUATION)
        bare = _SCHEME.sub("", address, count=1).rstrip("/").lower()
        return found[0] if len(bare) > 3 and bare in self._known else REMOVED + found[0][len(address) :]


def quoted(text: str) -> str:
    """A document's own words or title as an answer shows them: no HTML, and no `[3]` that would pass for a citation."""
    return _TAG.sub("‹", unbracketed(visible(text)))
