"""Does each sentence of an answer stand in the passages that it cites? Told by words, numbers and names."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from query_service.answering.protocol import AnswerRequest
from query_service.answering.refusals import refuses
from query_service.events import Sentence
from query_service.words.sentences import Span, sentences
from query_service.words.terms import WordReader
from shared.embeddings.folding import fold

MIN_SHARE = 0.5
"""Of a sentence's content words that the passages must hold, and of those that are not the question's own. Fitted on
FaQuAD `dev` (docs/answering.md)."""

SAME_SHARE = 0.8
"""Of a sentence that denies, in a claim that does not, for the one to contradict the other."""

_MARKER = re.compile(r"\[(\d+)\]")
_LEADING_MARKERS = re.compile(r"(?:\s*\[\d+\])+\s*")
_NUMBER = re.compile(r"(\d+(?:[.,]\d+)*)(?:\s+(mil\b|milh\w+|bilh\w+|trilh\w+|thousand|million|billion|trillion))?")
_SCALES = {"mil": 10**3, "thou": 10**3, "milh": 10**6, "mill": 10**6, "bilh": 10**9, "bill": 10**9}
_SCALES |= {"tril": 10**12}
_DATE = re.compile(r"\b(\d{1,2})/(0?[1-9]|1[0-2])/(\d{4})\b")
_WORD = re.compile(r"[a-z]+")
_NOT = re.compile(r"\b(?:nao(?! (?:so|apenas|somente)\b)|nunca|jamais|not(?! only\b)|never)\b|n.t\b")
_MONTHS_FROM_JANUARY = (
    "janeiro/january fevereiro/february marco/march abril/april maio junho/june julho/july agosto/august "
    "setembro/september outubro/october novembro/november dezembro/december"
)  # "may" is also a verb
_MONTHS = {word: n for n, words in enumerate(_MONTHS_FROM_JANUARY.split(), 1) for word in words.split("/")}
_THOUSANDS = re.compile(r"(?<=\d)[.,](?=\d{3}(?!\d))")
_NAME = re.compile(r"(?<=[\w,;:)»”\"] )[\"“'«*]*([A-ZÀ-ÖØ-Þ][\w-]+)")
_SPELT_FROM_ONE = (
    "um/uma/one dois/duas/two tres/three quatro/four cinco/five seis/six sete/seven oito/eight nove/nine dez/ten"
)
_SPELT = {word: str(number) for number, words in enumerate(_SPELT_FROM_ONE.split(), 1) for word in words.split("/")}


class SupportChecker:
    """Thread-safe. An answer of four sentences over five passages takes about a millisecond."""

    def __init__(self, reader: WordReader) -> None:
        self._reader = reader

    def check(self, answer: str, request: AnswerRequest) -> list[Sentence]:
        """The sentences of `answer` in order, each with the passages it cites and whether they hold what it says."""
        return [
            Sentence(
                text=answer[span.start : span.end],
                start=span.start,
                end=span.end,
                citations=(cited := _cited(answer[span.start : span.end])),
                supported=self._supported(answer[span.start : span.end], cited, request),
            )
            for span in statements(answer)
        ]

    def _supported(self, sentence: str, cited: Sequence[int], request: AnswerRequest) -> bool:
        claim = _MARKER.sub("", sentence)
        if refuses(claim):
            return True
        numbers = [number for number in cited if number <= len(request.passages)]
        proof = "\n".join(_shown(request, number - 1) for number in numbers or range(1, len(request.passages) + 1))
        if not _numbers(claim) <= _numbers(proof, proof=True):
            return False
        known = fold(f"{proof}\n{request.question}")
        if any(name not in known for name in map(fold, _NAME.findall(claim))):
            return False
        held, asked = self._stems(proof), self._stems(request.question)
        said = self._stems(claim)
        closest = self._closest(said, proof)
        if _denies(claim) and not _denies(closest):
            return False
        if _denies(closest) and not _denies(claim) and self._same(said, closest):
            return False
        return all(len(stems & held) >= MIN_SHARE * len(stems) for stems in (said, said - asked))

    def _same(self, said: set[str], sentence: str) -> bool:
        """Whether a claim leaves out little of the sentence: a denial in a long one may be of something else."""
        stems = self._stems(sentence)
        return len(said & stems) >= SAME_SHARE * len(stems)

    def _closest(self, said: set[str], proof: str) -> str:
        """The sentence that says most of it."""
        texts = [proof[span.start : span.end] for span in sentences(proof)]
        return max(texts, key=lambda text: len(said & self._stems(text)), default="")

    def _stems(self, text: str) -> set[str]:
        return {word.stem for word in self._reader.words(text) if not word.surface.isdigit()}


def statements(answer: str) -> Iterator[Span]:
    """The sentences of an answer; a marker after the full stop belongs to the sentence before it."""
    spans = list(sentences(answer))
    for at, span in enumerate(spans):
        start, end = span.start, span.end
        if at and (markers := _LEADING_MARKERS.match(answer, start, end)):
            start = markers.end()
        if at + 1 < len(spans) and (markers := _LEADING_MARKERS.match(answer, spans[at + 1].start, spans[at + 1].end)):
            end = spans[at + 1].start + len(markers[0].rstrip())
        if start < span.end:
            yield Span(start, end)


def _cited(sentence: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(int(number) for number in _MARKER.findall(sentence)))


def _shown(request: AnswerRequest, at: int) -> str:
    """All that the model read under this number."""
    chunk = request.passages[at].chunk
    around = request.surroundings[at : at + 1]
    beside = [text for one in around for text in (one.before, one.after)]
    return "\n".join([chunk.title, *chunk.heading_path, chunk.context, chunk.text, *beside])


def _numbers(text: str, *, proof: bool = False) -> set[str]:
    """Numbers and months as they compare: `1.000` and `1000`, `1,5 mil` and `1500`, `31/03` and `31 de março`.

    A proof offers more: words for small numbers, and `47,2` in `47,2 milhões`, which may be one of "47,2 a 50 milhões".
    """
    text = fold(text)
    found = {f"month {_MONTHS[word]}" for word in _WORD.findall(text) if word in _MONTHS}
    found |= {f"month {int(date[2])}" for date in _DATE.finditer(text)}
    for number in _NUMBER.finditer(_DATE.sub(r"\1 \3", text)):
        found.add(_value(number[1], number[2] or ""))
        if proof:
            found.add(_value(number[1], ""))
    return found | {_SPELT[word] for word in text.split() if word in _SPELT} if proof else found


def _value(number: str, scale: str) -> str:
    digits = _THOUSANDS.sub("", number).replace(",", ".")
    if digits.count(".") > 1:  # a version or a section
        return digits
    return f"{(Decimal(digits) * _SCALES.get(scale[:4], 1)).normalize():f}"


def _denies(text: str) -> bool:
    return _NOT.search(fold(text)) is not None
