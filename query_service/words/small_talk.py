"""Greetings, thanks and questions about who answers: nothing that a document could say."""

import re
from enum import Enum

from query_service.words.language import Language
from shared.embeddings.folding import fold


class SmallTalk(Enum):
    GREETING = "greeting"
    THANKS = "thanks"
    ABOUT_YOU = "about you"


_GREETINGS = (
    r"oi+|ola|opa|alo|e ai|eai|bom dia|boa tarde|boa noite|tudo (?:bem|bom|certo)|beleza|como vai(?: voce)?"
    r"|qual e a boa|ok|certo|legal|tchau|ate (?:logo|mais)"
)
_THANKS = r"(?:muito )?(?:obrigad[oa]|brigad[oa])(?: mesmo)?|valeu|vlw|agradeco"
_ABOUT = (
    r"(?:quem|o que|oq|o q) (?:e|eh) (?:voce|vc)|(?:voce|vc) (?:e|eh) quem|qual (?:e )?(?:o )?seu nome"
    r"|(?:o )?que (?:voce|vc) (?:sabe|pode|consegue|faz)(?: fazer| responder| me dizer)?"
    r"|(?:o )?que (?:eu )?posso (?:te |lhe )?perguntar|ajuda|me ajud[ae]"
)
_EN_GREETINGS = r"hi|hello|hey|good (?:morning|afternoon|evening)|how are you|bye|goodbye"
_EN_THANKS = r"thanks(?: a lot)?|thank you(?: (?:very|so) much)?"
_EN_ABOUT = r"(?:who|what) are you|what(?: is|'s) your name|what can (?:you do|i ask(?: you)?)|help"


def _whole(told: str, *around: str) -> re.Pattern[str]:
    """All of a question is `told`, perhaps with greetings or thanks `around` it."""
    return re.compile(rf"\W*(?:(?:{'|'.join([told, *around])})\b\W*)+")


# The first that fits: thanks may come with a greeting, a question about who answers with both.
_PATTERNS: tuple[tuple[SmallTalk, Language, re.Pattern[str]], ...] = (
    (SmallTalk.GREETING, "pt", _whole(_GREETINGS)),
    (SmallTalk.GREETING, "en", _whole(_EN_GREETINGS)),
    (SmallTalk.THANKS, "pt", _whole(_THANKS, _GREETINGS)),
    (SmallTalk.THANKS, "en", _whole(_EN_THANKS, _EN_GREETINGS)),
    (SmallTalk.ABOUT_YOU, "pt", _whole(_ABOUT, _THANKS, _GREETINGS)),
    (SmallTalk.ABOUT_YOU, "en", _whole(_EN_ABOUT, _EN_THANKS, _EN_GREETINGS)),
)


def small_talk(question: str) -> tuple[SmallTalk, Language] | None:
    """What kind it is and in which language; None for a question that has any other word."""
    folded = fold(question)
    return next(((kind, language) for kind, language, pattern in _PATTERNS if pattern.fullmatch(folded)), None)
