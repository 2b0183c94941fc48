"""Does a sentence of a language model say that the documents do not answer? It claims nothing, so nothing proves it."""

import re

from shared.embeddings.folding import fold

_DOCUMENTS = r"\b(?:documentos?|trechos?|passagens?|textos?|fontes?|contexto)\b"
_ENGLISH_DOCUMENTS = r"\b(?:documents?|passages?|excerpts?|texts?|sources?|context)\b"
_TELL = "respond|inform|mencion|diz|trata|fala|especific|indic|esclarec|abord|fornec|explic|revel|cit[ae]|refer"
_WHAT = "inform|resposta|menc|dados|refer|detalhe|indicac"
_REFUSALS = re.compile(
    rf"{_DOCUMENTS}[^.;]{{0,60}}?\bnao (?:se |me |nos )?(?:{_TELL})"
    rf"|{_DOCUMENTS}[^.;]{{0,60}}?\bnao (?:ha|tem|contem|trazem|traz|apresentam?|possu\w+) [^.;]{{0,20}}?(?:{_WHAT})"
    rf"|\bnao (?:ha|exist\w+|consta|constam|encontrei|(?:foi|foram) encontrad\w+) [^.;]{{0,30}}?(?:{_WHAT})"
    r"|\bnao (?:consta|encontrei|esta|foi encontrad\w)\b[^.;]{0,40}\bnos (?:documentos|trechos|textos)"
    r"|\bnao (?:sei|posso|consigo|e possivel|foi possivel) (?:responder|encontrar|determinar|dizer|afirmar|informar)"
    rf"|{_ENGLISH_DOCUMENTS}[^.;]{{0,60}}?\b(?:do|does|did)(?: not|n.t) "
    r"(?:answer|mention|say|state|specify|contain|provide|tell|indicate|include|address|give|cover)"
    r"|\bno (?:information|mention|answer|details?)\b"
    r"|\b(?:can ?not|can.t|could not|couldn.t|unable to|do not|don.t) (?:answer|find|determine|tell|know)\b"
)
_GOES_ON = re.compile(r"\b(?:mas|porem|contudo|entretanto|todavia|embora|but|however|although|though)\b")


def refuses(sentence: str) -> bool:
    """Whether it is a refusal and nothing else ("... não dizem isso, mas ..." goes on to claim something)."""
    said = fold(sentence)
    return _REFUSALS.search(said) is not None and _GOES_ON.search(said) is None
