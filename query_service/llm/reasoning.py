"""Models that think aloud: what some servers leave of it at the beginning of the answer, between tags."""

_TAGS = ("<think>", "<thinking>", "<reasoning>")


class ReasoningFilter:
    """Lets text through as it streams, from the first word that is meant to be read."""

    def __init__(self) -> None:
        self._held = ""
        self._until = ""
        self._speaks = False

    def feed(self, piece: str) -> str:
        """What is certainly part of the answer; white space before its first word is left out."""
        if self._speaks:
            return piece
        self._held += piece
        while True:
            if self._until:
                thought, closed, after = self._held.partition(self._until)
                if not closed:
                    self._held = thought[-len(self._until) :]
                    return ""
                self._held, self._until = after, ""
            self._held = self._held.lstrip()
            tag = next((tag for tag in _TAGS if self._held.startswith(tag)), "")
            if tag:
                self._held, self._until = self._held.removeprefix(tag), f"</{tag[1:]}"
            elif any(tag.startswith(self._held) for tag in _TAGS):
                return ""
            else:
                self._speaks = True
                return self._held

    def rest(self) -> str:
        """What was held back, at the end; nothing of a thought that was never ended."""
        return "" if self._speaks or self._until else self._held
