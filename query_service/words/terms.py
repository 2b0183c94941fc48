"""Words as the scorers see them: folded surface, stem, word pairs and four-letter pieces, weighed by rarity."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

from shared.embeddings.folding import fold

Stems = Callable[[str], list[str]]
"""`LexicalEncoder.stems`: folded content stems, no stop words."""

Key = TypeVar("Key")

_WORD = re.compile(r"[^\W_]+")
_ASKING_WORDS = """
    significa significam significado explique explica explicar defina definir definicao diga dizer quer fale falar conte
    contar funciona funcionam serve servem diferenca existe existem mostre pode poderia gostaria saber sabe chama chamam
    queria quero entender duvida ola oi obrigado obrigada favor
    q oq pq eh vc vcs pro pros pras ta to ne tb tbm blz
    difference work works mean means meaning explain define tell show know could would please hello hi hey thanks
"""
_ASKING = frozenset(_ASKING_WORDS.split())
_ASKING_PHRASES = re.compile(
    r"\b(?:bom dia|boa tarde|boa noite|tudo bem|good (?:morning|afternoon|evening))\b"
    r"|(?<=\bsignifica [ao] )(?:sigla|termo|palavra|expressão|acr[ôo]nimo)\b",
    re.IGNORECASE,
)
_CACHED_WORDS = 50_000  # about 10 MB; a corpus in one language has fewer frequent words


@dataclass(frozen=True, slots=True)
class Word:
    """A content word: lower case, without accents, and its stem.

    `alternatives` are other ways to say it (`gNB`: `estação rádio-base`), each the stems that a text must hold then.
    """

    surface: str
    stem: str
    alternatives: tuple[frozenset[str], ...] = ()

    @property
    def ways(self) -> tuple[frozenset[str], ...]:
        """The word itself and its alternatives."""
        return frozenset((self.stem,)), *self.alternatives

    def said_with(self, stems: Set[str]) -> bool:
        """Whether a text with these stems says the word, or an alternative of it."""
        return any(way <= stems for way in self.ways)


@dataclass(frozen=True, slots=True)
class Features:
    """What a piece of text offers for matching."""

    stems: frozenset[str]
    surfaces: frozenset[str]
    bigrams: frozenset[tuple[str, str]]
    grams: frozenset[str]


@dataclass(frozen=True, slots=True)
class Weights:
    """What a question asks for: each feature with its weight. Empty when the question has only stop words."""

    stems: Mapping[str, float]
    surfaces: Mapping[str, float]
    bigrams: Mapping[tuple[str, str], float]
    grams: Mapping[str, float]
    synonyms: tuple[Word, ...] = ()
    """The words of the question that can be said in another way."""

    def said(self, stems: Set[str]) -> frozenset[str]:
        """Stems of a text, and of the question's words that it says in another way."""
        return frozenset(stems) | {word.stem for word in self.synonyms if word.said_with(stems)}

    def translated(self, features: Features) -> Features:
        """`features` as if the text said in the question's own words what it says in other ones."""
        said = [word for word in self.synonyms if word.stem not in features.stems and word.said_with(features.stems)]
        if not said:
            return features
        stems = features.stems | {word.stem for word in said}
        return Features(
            stems=stems,
            surfaces=features.surfaces | {word.surface for word in said},
            bigrams=features.bigrams | {pair for pair in self.bigrams if stems.issuperset(pair)},
            grams=features.grams.union(*(grams(word.surface) for word in said)),
        )


@dataclass(frozen=True, slots=True)
class Rarity:
    """How telling a stem is: high when few of the `total` searchable chunks hold it, highest when none does."""

    counts: Mapping[str, int]
    total: int

    def of(self, word: Word) -> float:
        """A word is as frequent as all ways to say it together, and such a way as its rarest stem."""
        # Counts may be approximate (see the port), so they are kept within the total.
        count = min(sum(min(self.counts.get(stem, 0) for stem in way) for way in word.ways), self.total)
        return math.log(1 + (self.total - count + 0.5) / (count + 0.5))


class WordReader:
    """Text to content words. Thread-safe."""

    def __init__(self, stems: Stems) -> None:
        @lru_cache(maxsize=_CACHED_WORDS)
        def word(spelling: str) -> Word | None:
            found = stems(f"a {spelling}")  # alone, NAS would be read as a shouted "nas"
            return Word(fold(spelling), found[0]) if found else None

        self._word = word

    def words(self, text: str) -> tuple[Word, ...]:
        """The content words in order; stop words are left out."""
        # Capitals in ordinary text mark an acronym (NAS is no preposition); in a heading all in capitals they do not.
        spellings = _WORD.findall(text.lower() if text.isupper() else text)
        return tuple(word for spelling in spellings if (word := self._word(spelling)))

    def asked(self, question: str) -> tuple[Word, ...]:
        """The content words that a question is about, without those that only ask ("o que significa", "explique")."""
        words = self.words(_ASKING_PHRASES.sub(" ", question)) or self.words(question)
        return tuple(word for word in words if word.surface not in _ASKING) or words

    def topic(self, question: str) -> str:
        """The question without the words that only ask; as it is when nothing else would be left."""
        bare = _ASKING_PHRASES.sub(" ", question)
        rest = _WORD.sub(lambda match: "" if fold(match[0]) in _ASKING else match[0], bare)
        return rest if self.words(rest) else question

    def features(self, text: str) -> Features:
        words = self.words(text)
        return Features(
            stems=frozenset(word.stem for word in words),
            surfaces=frozenset(word.surface for word in words),
            bigrams=frozenset(_bigrams(words)),
            grams=frozenset(gram for word in words for gram in grams(word.surface)),
        )


def grams(surface: str) -> tuple[str, ...]:
    """The four-letter pieces of a word; a shorter word is its only piece."""
    return tuple(surface[i : i + 4] for i in range(max(1, len(surface) - 3)))


def weigh(words: Sequence[Word], rarity: Rarity) -> Weights:
    """The weights of a question's words; a word's pieces share its weight, a pair has the mean of its words."""
    stems = {word.stem: rarity.of(word) for word in words}
    piece_weights: dict[str, float] = {}
    for word in words:
        pieces = grams(word.surface)
        for piece in pieces:
            piece_weights[piece] = piece_weights.get(piece, 0.0) + stems[word.stem] / len(pieces)
    return Weights(
        stems=stems,
        surfaces={word.surface: stems[word.stem] for word in words},
        bigrams={pair: (stems[pair[0]] + stems[pair[1]]) / 2 for pair in _bigrams(words)},
        grams=piece_weights,
        synonyms=tuple(word for word in words if word.alternatives),
    )


def share(weights: Mapping[Key, float], held: Iterable[Key]) -> float:
    """Which part of the weight is held, 0 to 1; 0 when there is nothing to hold."""
    total = sum(weights.values())
    return sum(weights.get(key, 0.0) for key in held) / total if total else 0.0


def _bigrams(words: Sequence[Word]) -> list[tuple[str, str]]:
    return [(first.stem, second.stem) for first, second in pairwise(words)]
