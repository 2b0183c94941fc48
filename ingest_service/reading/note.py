"""Sentences that tell the owner of a document what could not be read although the rest was."""

from collections.abc import Mapping, Sequence

from ingest_service.parsing.ocr.recognised import RecognisedPage
from ingest_service.parsing.pdf.pages import page_ranges

DOUBTFUL = 60.0
"""Mean confidence (0 to 100) below which recognised text should be compared with the page."""


def left_out(numbers: Sequence[int]) -> str:
    return f"Could not be read and left out: {_pages(numbers)}." if numbers else ""


def unrecognised(numbers: Sequence[int], advice: str) -> str:
    return f"The text on {_pages(numbers)} is an image and was not read. {advice}" if numbers else ""


def nothing_left(numbers: Sequence[int]) -> str:
    return f"The file is damaged; nothing is left of {_pages(numbers)}." if numbers else ""


def doubtful_text(pages: Mapping[int, RecognisedPage]) -> str:
    doubtful = [number for number, page in pages.items() if page.confidence < DOUBTFUL]
    return f"The text recognised on {_pages(doubtful)} is doubtful: compare it with the page." if doubtful else ""


def _pages(numbers: Sequence[int]) -> str:
    return f"{'page' if len(numbers) == 1 else 'pages'} {page_ranges(numbers)}"
