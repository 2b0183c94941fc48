"""What a model wants written in front of a text. No embedding library adds it."""

import re
from dataclasses import dataclass

_E5 = re.compile(r"(^|[/_-])e5([/_-]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Prefixes:
    question: str = ""
    passage: str = ""


def prefixes_of(model: str) -> Prefixes:
    """E5 models were trained with them and lose without; others get none."""
    return Prefixes("query: ", "passage: ") if _E5.search(model) else Prefixes()
