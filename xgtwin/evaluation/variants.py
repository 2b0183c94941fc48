"""Questions as people type them in a hurry: without accents, with typos."""

import random
import re
import string

from shared.embeddings.folding import fold
from xgtwin.evaluation.sets import SEED

TYPO_LETTERS = 8
"""Words of at least so many letters get a typo."""
_LONG_WORD = re.compile(rf"[^\W\d_]{{{TYPO_LETTERS},}}")


def without_accents(question: str) -> str:
    return fold(question)


def with_typos(question: str) -> str:
    """One typo in each long word: two letters swapped, or one dropped, added or replaced, at any place of the word.

    The same question always gets the same typos.
    """
    chance = random.Random(f"{SEED} {question}")  # noqa: S311 - a sample, not a secret
    return _LONG_WORD.sub(lambda match: _mistyped(match[0], chance), question)


def _mistyped(word: str, chance: random.Random) -> str:
    while True:  # swapping twins or replacing a letter by itself is no typo
        at = chance.randrange(len(word) - 1)
        letter = chance.choice(string.ascii_lowercase)
        wrong = chance.choice(
            [
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + letter + word[at + 1 :],
            ]
        )
        if wrong != word:
            return wrong
