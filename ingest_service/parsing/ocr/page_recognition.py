"""One page of any document to its words: what a reading process does for text recognition."""

from pathlib import Path

from ingest_service.parsing.images.raster import RECOGNITION_DPI
from ingest_service.parsing.media_types import PDF
from ingest_service.parsing.ocr.recognised import RecognisedPage

_POOR = 60.0


def recognise_page(
    path: Path, media_type: str, number: int, tessdata: Path, languages: tuple[str, ...]
) -> RecognisedPage:
    """The words of a page of a PDF or image file. A page that is hard to read is tried once more without its specks.

    Raises `NoSuchPage`, `BrokenDocument`, `TooLargeUnpacked`.
    """
    # The libraries are heavy and wanted in reading processes alone.
    from ingest_service.parsing.images.pictures import grey_frame, without_specks
    from ingest_service.parsing.ocr.tesseract import recognise
    from ingest_service.parsing.pdf.pdfium import page_raster

    data = path.read_bytes()
    raster = page_raster(data, number, RECOGNITION_DPI) if media_type == PDF else grey_frame(data, number)
    found = recognise(raster, tessdata, languages)
    if found.paragraphs and found.confidence >= _POOR:
        return found
    again = recognise(without_specks(raster), tessdata, languages)
    return max(found, again, key=lambda page: sum(len(word.text) * word.confidence for word in page.words()))


def count_frames(path: Path) -> int:
    """The pages of an image file. Raises `BrokenDocument`, `TooLargeUnpacked`."""
    from ingest_service.parsing.images.pictures import frames_of

    return frames_of(path.read_bytes())
