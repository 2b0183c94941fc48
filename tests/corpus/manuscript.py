"""What a document says before any program gives it a format: pages of paragraphs with facts at known places."""

from dataclasses import dataclass
from pathlib import Path

from tests.corpus.sentences import Author, Sentence


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Prose around one fact."""

    text: str
    fact: Sentence


@dataclass(frozen=True, slots=True)
class Page:
    heading: str
    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Manuscript:
    title: str
    pages: tuple[Page, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """Where a search for a fact must lead: `page` is None in formats without pages."""

    file: str
    page: int | None
    fact: Sentence
    scanned: bool = False


def write(author: Author, title: str, *, pages: int, facts: int = 3) -> Manuscript:
    """A manuscript of so many pages with so many facts on each; the fact opens, ends or stands inside its paragraph."""
    return Manuscript(
        title,
        tuple(
            Page(
                f"{number}. {author.topic()}",
                tuple(_paragraph(author, position=(number + place) % 3) for place in range(facts)),
            )
            for number in range(1, pages + 1)
        ),
    )


def expected(file: Path, manuscript: Manuscript, *, paged: bool, scanned: bool = False) -> list[Expected]:
    """Every fact of a manuscript with its page."""
    return [
        Expected(file.name, number if paged else None, paragraph.fact, scanned)
        for number, page in enumerate(manuscript.pages, 1)
        for paragraph in page.paragraphs
    ]


def _paragraph(author: Author, position: int) -> Paragraph:
    fact = author.fact()
    sentences = [author.filler(), author.filler()]
    sentences.insert(position, fact.text)
    return Paragraph(" ".join(sentences), fact)
