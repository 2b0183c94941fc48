"""Which questions other documents answer too, because they say the same in nearly the same words."""

from collections.abc import Sequence

from query_service.words.sentences import sentences
from query_service.words.terms import WordReader
from xgtwin.evaluation.answers import holds, normal
from xgtwin.evaluation.sets import Entry, Question, QuestionSet

SAME = 0.5
"""A sentence says the same as the gold one if it holds a gold answer and this share of the gold one's words.

Regulations of one university repeat each other; without this, asking one about the other is no unanswerable question.
"""


class Repeats:
    """The sentences of `elsewhere`, to be compared with those of the gold passages."""

    def __init__(self, data: QuestionSet, elsewhere: Sequence[Entry], reader: WordReader) -> None:
        self._reader = reader
        self._texts = {entry.chunk.id: entry.chunk.text for entry in data.entries}
        self._there = [
            (normal(sentence), self._stems(sentence))
            for entry in elsewhere
            for sentence in _sentences(entry.chunk.text)
        ]

    def answers(self, question: Question) -> bool:
        """Whether a sentence of `elsewhere` repeats the sentence with the gold answer. False if none is known."""
        answers = [normal(answer) for answer in question.answers]
        gold = [
            self._stems(sentence)
            for chunk in question.gold
            for sentence in _sentences(self._texts[chunk])
            if holds(sentence, question)
        ]
        return any(
            len(stems & own) >= SAME * len(own)
            for text, stems in self._there
            if any(answer in text for answer in answers)
            for own in gold
            if own
        )

    def _stems(self, sentence: str) -> frozenset[str]:
        return frozenset(word.stem for word in self._reader.words(sentence))


def _sentences(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentences(text)]
