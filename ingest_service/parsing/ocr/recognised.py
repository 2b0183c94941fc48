"""What text recognition says about a page: words with their places, kept as JSON beside the document."""

from collections.abc import Iterator

from pydantic import Field

from ingest_service.parsing.pdf.hyphens import joined
from shared.models import Frozen

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of the page as it is seen, 0 to 1 from its upper left corner."""


class Word(Frozen):
    """A word as it stands in the picture; `confidence` is 0 to 100."""

    text: str
    box: Box
    confidence: float


class RecognisedPage(Frozen):
    """Paragraphs of lines of words, in reading order. `width` and `height` are those of the page in points."""

    width: float = Field(gt=0)
    height: float = Field(gt=0)
    language: str
    paragraphs: tuple[tuple[tuple[Word, ...], ...], ...]

    def words(self) -> Iterator[Word]:
        """All words in reading order."""
        return (word for lines in self.paragraphs for line in lines for word in line)

    @property
    def confidence(self) -> float:
        """The mean over the words, each as much as it has letters; 100 for a page without a word.

        Tesseract's own mean is 95 for a page of noise of which it gave no word.
        """
        words = list(self.words())
        letters = sum(len(word.text) for word in words)
        return sum(len(word.text) * word.confidence for word in words) / letters if letters else 100.0

    def texts(self) -> Iterator[tuple[str, Box]]:
        """Each paragraph as one text without its line ends, and where it stands."""
        for lines in self.paragraphs:
            boxes = [word.box for line in lines for word in line]
            text = joined(" ".join(word.text for word in line) for line in lines)
            lefts, tops, rights, bottoms = zip(*boxes, strict=True)
            yield text, (min(lefts), min(tops), max(rights), max(bottoms))
