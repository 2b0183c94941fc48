"""What is shown of a language model's text: markers that prove something, nothing that acts, and at least one word."""

import re
from collections.abc import Sequence

from query_service.answering.citations import MarkerFilter
from query_service.answering.safe_text import SafeText
from shared.models import ScoredChunk

_MARKER = re.compile(r"\[\d+\]")
_ENDED = re.compile(r"[.!?…][\"'”’»)]*(?:\s*\[\d+\])*\s*\Z")


class ModelText:
    """Grows as the model's text streams in; `said` is all that was shown so far."""

    def __init__(self, passages: Sequence[ScoredChunk]) -> None:
        self.said = ""
        self._markers, self._safe = MarkerFilter(len(passages)), SafeText(passages)
        self._waiting = ""
        """White space, punctuation and markers before the first word: alone they are no answer."""

    @property
    def ended(self) -> bool:
        """Whether the last sentence is whole."""
        return _ENDED.search(self.said) is not None

    def feed(self, piece: str) -> str:
        """What can be shown now."""
        return self._shown(self._safe.feed(self._markers.feed(piece)))

    def rest(self) -> str:
        """What was held back, at the end."""
        return self._shown(self._safe.rest()).rstrip()

    def _shown(self, text: str) -> str:
        if not self.said:
            self._waiting += text
            if not any(map(str.isalnum, _MARKER.sub("", text))):
                return ""
            text = self._waiting.lstrip()
        self.said += text
        return text
