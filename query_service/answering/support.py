"""Does each sentence of an answer stand in the passages that it cites? Told by words, numbers and names."""

import re
from collections.abc import Iterator, Sequence

from query_service.answering.protocol import AnswerRequest
from query_service.answering.refusals import refuses
from query_service.events import Sentence
from query_service.words.sentences import Span, sentences
from query_service.words.terms import WordReader
from shared.embeddings.folding import fold

MIN_SHARE = 0.5
"""Of a sentence's content words that the passages must hold, and of those that are not the question's own. Fitted on
FaQuAD `dev` (docs/answering.md)."""

_MARKER = re.compile(r"\[(\d+)\]")
_LEADING_MARKERS = re.compile(r"(?:\s*\[\d+\])+\s*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
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
        if not _numbers(claim) <= _numbers(proof, spelt=True):
            return False
        known = fold(f"{proof}\n{request.question}")
        if any(name not in known for name in map(fold, _NAME.findall(claim))):
            return False
        held, asked = self._stems(proof), self._stems(request.question)
        said = self._stems(claim)
        return all(len(stems & held) >= MIN_SHARE * len(stems) for stems in (said, said - asked))

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


def _numbers(text: str, *, spelt: bool = False) -> set[str]:
    """Numbers as they compare: `1.000` and `1000`, `3,50` and `3.5` are the same."""
    found = {_THOUSANDS.sub("", number).replace(",", ".") for number in _NUMBER.findall(text)}
    found = {number.rstrip("0").rstrip(".") if "." in number else number for number in found}
    return found | {_SPELT[word] for word in fold(text).split() if word in _SPELT} if spelt else found
