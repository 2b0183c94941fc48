"""Lexical vectors: BM25 over several readings of a word, one sparse vector, no model needed.

A passage is read four ways, each in a namespace of its own: stems, surface forms, pairs of neighbours and pieces of
four letters, all without accents, so that a question typed in a hurry finds what the regulations spell with care.
The passage carries the saturated frequencies, the question the weight of each namespace, and the store multiplies by
rarity (Qdrant's IDF modifier). Why these parts and numbers: docs/decisions/0002-lexical-vectors.md.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from threading import Lock

import mmh3
import Stemmer

from shared.embeddings.folding import fold
from shared.embeddings.readings import FITTED, ReadingWeights
from shared.embeddings.stop_words import STOP_WORDS
from shared.vector_store.protocol import SparseVector

K1, B = 0.4, 0.75
"""BM25's saturation and length. Four readings of a word repeat it already, so it saturates sooner than BM25's 1.2."""

AVERAGE_LENGTH = 57.0
"""Content words of a chunk of 80 to 130 words, as measured on Portuguese text (54 % of all words)."""

_WORD = re.compile(r"[^\W_]+")
_PIECE = 4
_LONGEST = 50  # letters; what is longer (encoded data, a line without spaces) is known by its beginning
_CACHED_WORDS = 20_000  # about 15 MB; beyond it the rare words are analysed again

_SAMPLE = "Informações das redes 5G: latências, NAS e educação; the networks' latency_ms, São João, universitários."


@dataclass(frozen=True, slots=True)
class _Word:
    """One spelling, analysed once. A stop word has itself as stem and no ids: it only stands in pairs."""

    stem: str
    content: bool
    stem_id: int
    surface_id: int
    piece_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Tokens:
    """The token ids of a text by namespace, repetitions included."""

    stems: list[int]
    surfaces: list[int]
    pairs: list[int]
    pieces: list[int]


class LexicalEncoder:
    """Text to sparse vectors. Thread-safe; the same text gives the same vector in every process."""

    def __init__(self) -> None:
        stemmer = Stemmer.Stemmer("portuguese", 0)  # 0: its own cache is not needed behind ours
        lock = Lock()  # a Stemmer object must not be used by two threads at a time

        @lru_cache(maxsize=_CACHED_WORDS)
        def word(spelling: str) -> _Word:
            surface = fold(spelling)[:_LONGEST]
            # Capitals inside ordinary text are an acronym: NAS and DAS are no prepositions then.
            if surface in STOP_WORDS and not (len(spelling) > 1 and spelling.isupper()):
                return _Word(surface, False, 0, 0, ())
            with lock:
                stem: str = stemmer.stemWord(surface)
            pieces = (surface[i : i + _PIECE] for i in range(len(surface) - _PIECE + 1))
            return _Word(stem, True, _id("s", stem), _id("w", surface), tuple(_id("g", piece) for piece in pieces))

        self._word = word
        behaviour = f"{self.passage(_SAMPLE)}{sorted(STOP_WORDS)}"
        self.fingerprint = f"lex-{hashlib.sha256(behaviour.encode()).hexdigest()[:12]}"
        """Names how passages are encoded. Vectors of different fingerprints must not meet in one collection."""

    def passage(self, text: str) -> SparseVector:
        """The vector to store: saturated frequencies. Empty when the text has no content word."""
        tokens = self._tokens(text)
        counts = Counter(tokens.stems)
        counts.update(tokens.surfaces)
        counts.update(tokens.pairs)
        counts.update(tokens.pieces)
        norm = K1 * (1 - B + B * len(tokens.stems) / AVERAGE_LENGTH)
        return SparseVector(tuple(counts), tuple(n * (K1 + 1) / (n + norm) for n in counts.values()))

    def question(self, text: str, reading: ReadingWeights = FITTED) -> SparseVector:
        """The vector to search with: each distinct token with the weight of its namespace. Empty as above."""
        tokens = self._tokens(text)
        weights: dict[int, float] = {}
        weights |= dict.fromkeys(tokens.pieces, reading.piece)
        weights |= dict.fromkeys(tokens.pairs, reading.pair)
        weights |= dict.fromkeys(tokens.surfaces, reading.surface)
        weights |= dict.fromkeys(tokens.stems, reading.stem)
        return SparseVector(tuple(weights), tuple(weights.values()))

    def stems(self, text: str) -> list[str]:
        """The stems of the content words, in order and with repetitions: folded, without stop words."""
        return [word.stem for word in self._words(text) if word.content]

    def _words(self, text: str) -> list[_Word]:
        text = unicodedata.normalize("NFC", text)  # a combining accent would end the word
        # Somebody who writes all in capitals does not mean acronyms.
        return [self._word(spelling) for spelling in _WORD.findall(text.lower() if text.isupper() else text)]

    def _tokens(self, text: str) -> _Tokens:
        words = self._words(text)
        content = [word for word in words if word.content]
        return _Tokens(
            stems=[word.stem_id for word in content],
            surfaces=[word.surface_id for word in content],
            pairs=_pairs(words) if content else [],
            pieces=[piece for word in content for piece in word.piece_ids],
        )


def _pairs(words: Iterable[_Word]) -> list[int]:
    """Neighbours as they stand, `redes de` and `de acesso`, unless both are stop words."""
    return [_id("b", f"{a.stem} {b.stem}") for a, b in pairwise(words) if a.content or b.content]


def _id(namespace: str, token: str) -> int:
    token_id: int = mmh3.hash(f"{namespace}:{token}", signed=False)
    return token_id
