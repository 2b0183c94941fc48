"""Questions that ask what something is, and the words that a document uses to say so."""

import re

# Words and the gaps between them share no character: two ways to cut the same text would be tried by the thousand.
_SUBJECT = r"[^\s?.!]+(?:\s+[^\s?.!]+){0,4}"
# The whole of a short question, after a greeting perhaps: "Como sei que é a lâmpada?" asks something else.
_ASKS = re.compile(
    rf"\W*(?:\w+,\s*)?(?:(?:o\s+)?que\s+(?:é|e|são|sao|significam?)\s+(?P<pt>{_SUBJECT})"
    rf"|what\s+(?:is|are)\s+(?:(?:a|an|the)\s+)?(?P<en>{_SUBJECT}))[?.!\s]*",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"(?:o|a|os|as|um|uma|uns|umas)\s", re.IGNORECASE)


def opening(question: str) -> str:
    """The words that begin the definition asked for ("O que é 5G?": "o 5G é"); empty if none is asked for.

    Searched beside the question, the neighbours "5G é" tell the definition of a common word from the hundred passages
    that merely mention it.
    """
    asked = _ASKS.fullmatch(question)
    if asked is None:
        return ""
    if asked["en"]:
        return f"{asked['en'].strip()} is"
    subject = asked["pt"].strip()
    return f"{subject} é" if _ARTICLE.match(subject) else f"o {subject} é"
