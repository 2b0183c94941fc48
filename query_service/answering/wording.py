"""Everything this service says in its own words, in Portuguese and English, on one page."""

from collections.abc import Sequence

from query_service.events import Reason
from query_service.words.language import Language
from query_service.words.small_talk import SmallTalk

_COURTESY = {
    "pt": {
        SmallTalk.GREETING: "Olá! Respondo com o que está escrito nos documentos e mostro de onde vem cada resposta. "
        "Pergunte em uma frase o que quer saber do assunto deles.",
        SmallTalk.THANKS: "De nada! Se quiser saber mais alguma coisa do que está nos documentos, é só perguntar.",
        SmallTalk.ABOUT_YOU: "Sou o assistente destes documentos: respondo com o que está escrito neles e mostro de "
        "onde vem cada resposta. Pergunte o que é, quem fez, quando, como ou quanto.",
    },
    "en": {
        SmallTalk.GREETING: "Hello! I answer with what the documents say and show where each answer comes from. "
        "Ask in a sentence what you would like to know about their subject.",
        SmallTalk.THANKS: "You are welcome! If you would like to know more of what the documents say, just ask.",
        SmallTalk.ABOUT_YOU: "I am the assistant of these documents: I answer with what they say and show where each "
        "answer comes from. Ask what something is, who, when, how or how much.",
    },
}
_NOTHING = {
    "pt": "Não encontrei nada sobre isso nos documentos. Tente perguntar com outras palavras.",
    "en": "I found nothing about this in the documents. Try asking in other words.",
}
_EMPTY = {
    "pt": "Ainda não há documentos para consultar. Acrescente documentos e pergunte de novo.",
    "en": "There are no documents to look into yet. Add documents and ask again.",
}
_WEAK = {
    "pt": "Os documentos que tenho não respondem a essa pergunta.",
    "en": "The documents I have do not answer this question.",
}
_NEAREST = {
    "pt": ("O documento de assunto mais próximo é {}.", "Os documentos de assunto mais próximo são {}."),
    "en": ("The document closest in subject is {}.", "The documents closest in subject are {}."),
}
_NEAREST_PASSAGE = {
    "pt": "Não encontrei uma resposta segura nos documentos. O trecho mais próximo é este:",
    "en": "I found no certain answer in the documents. The nearest passage is this:",
}
_PENDING = {
    "pt": ("O documento {} ainda está sendo lido", "Os documentos {} ainda estão sendo lidos"),
    "en": ("The document {} is still being read", "The documents {} are still being read"),
}
_ASK_AGAIN = {"pt": "; pergunte de novo em instantes.", "en": "; ask again in a moment."}
_LLM_SILENT = {
    "pt": "O modelo de linguagem não respondeu; respondo com o que está escrito nos documentos.",
    "en": "The language model did not answer; this is what the documents say.",
}
_LLM_SILENT_REFUSAL = {
    "pt": "O modelo de linguagem não respondeu.",
    "en": "The language model did not answer.",
}
_UNCONFIRMED = {
    "pt": "Os documentos não confirmam esta resposta.",
    "en": "The documents do not confirm this answer.",
}
_AND = {"pt": " e ", "en": " and "}
_QUOTES = {"pt": "«{}»", "en": "“{}”"}


def courtesy(kind: SmallTalk, language: Language) -> str:
    """The reply to a visitor who asks nothing of the documents: who answers, and what can be asked."""
    return _COURTESY[language][kind]


def refusal(
    reason: Reason, language: Language, *, nearest: Sequence[str] = (), pending: Sequence[str] = (), empty: bool = False
) -> str:
    """What a visitor reads instead of an answer; `nearest` are titles, which are not claimed to answer."""
    if reason is Reason.PENDING_DOCUMENTS:
        first = (_WEAK if nearest else _NOTHING)[language].split(". ")[0].rstrip(".") + "."
        return f"{first} {still_reading(pending, language)}"
    if empty:
        return _EMPTY[language]
    if not nearest:
        return _NOTHING[language]
    return f"{_WEAK[language]} {_counted(_NEAREST, nearest, language)}"


def nearest_passage(language: Language) -> str:
    """What stands before a passage that is shown without the claim that it answers."""
    return _NEAREST_PASSAGE[language]


def still_reading(names: Sequence[str], language: Language) -> str:
    """Which documents may still bring the answer."""
    return _counted(_PENDING, names, language) + _ASK_AGAIN[language]


def llm_silent(language: Language, *, refused: bool) -> str:
    """The sentence before what is given in place of the language model's answer."""
    return (_LLM_SILENT_REFUSAL if refused else _LLM_SILENT)[language]


def unconfirmed(language: Language) -> str:
    """What stands behind a language model's answer of which no statement was found in the documents."""
    return _UNCONFIRMED[language]


def _counted(forms: dict[str, tuple[str, str]], names: Sequence[str], language: Language) -> str:
    quoted = [_QUOTES[language].format(name) for name in names]
    listed = _AND[language].join(part for part in (", ".join(quoted[:-1]), quoted[-1]) if part)
    return forms[language][len(names) > 1].format(listed)


_PROBLEMS = {
    401: "Este serviço pede uma chave: envie-a como 'Authorization: Bearer CHAVE' ou 'X-API-Key: CHAVE'.",
    403: "Esta chave não tem permissão para fazer perguntas.",
    429: "Foram feitas perguntas demais em pouco tempo. Aguarde um pouco e pergunte de novo.",
    503: "O serviço está temporariamente indisponível. Tente de novo em instantes.",
}


def problem_in_portuguese(status: int) -> str:
    """An error's detail for clients that show it to visitors as it stands."""
    return _PROBLEMS.get(status, "O pedido não pôde ser atendido. O registro do serviço diz o motivo.")
