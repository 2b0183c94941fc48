"""Questions that ask what something is, and the words that a document uses to say so."""

import re

# Words and the gaps between them share no character: two ways to cut the same text would be tried by the thousand.
_SUBJECT = r"[^\s?.!]+(?:\s+[^\s?.!]+){0,4}"
# The whole of a short question, after a greeting perhaps: "Como sei que é a lâmpada?" asks something else.
_ASKS = re.compile(
    rf"\W*(?:\w+,\s*)?(?:(?:(?:o\s+)?que|o\s?q)\s+(?:é|e|eh|são|sao|significam?)\s+(?P<pt>{_SUBJECT})"
    rf"|what\s+(?:is|are)\s+(?:(?:a|an|the)\s+)?(?P<en>{_SUBJECT}))[?.!\s]*",
    re.IGNORECASE,
)
# A term by itself ("5G", "Open RAN?") can only ask what it is.
_BARE = re.compile(
    r"\W*(?!(?:quem|que|qual|quais|quando|quant[oa]s?|como|onde|cad[êe]|por|who|when|where|why|how|which|what)\b)"
    r"(?P<term>[\w/-]+(?:\s[\w/-]+)?)[?.!\s]*",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"(?:o|a|os|as|um|uma|uns|umas)\s", re.IGNORECASE)


def opening(question: str) -> str:
    """The words that begin the definition asked for ("O que é 5G?": "o 5G é"); empty if none is asked for.

    Searched beside the question, the neighbours "5G é" tell the definition of a common word from the hundred passages
    that merely mention it.
    """
    asked = _ASKS.fullmatch(question)
    if asked and asked["en"]:
        return f"{asked['en'].strip()} is"
    bare = None if asked else _BARE.fullmatch(question)
    subject = asked["pt"].strip() if asked else bare["term"] if bare else ""
    if not subject:
        return ""
    return f"{subject} é" if _ARTICLE.match(subject) else f"o {subject} é"
