"""Text recognition by tesserocr, this file being its only importer. What runs here runs in a reading process."""

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from ingest_service.parsing.images.raster import Raster
from ingest_service.parsing.ocr.recognised import Box, RecognisedPage, Word
from ingest_service.parsing.pdf.broken_text import is_english

_NOISE = 35
"""Words below this confidence are marks of pictures and dirt."""
_CERTAIN = 60
_ENGLISH = "eng"


def recognise(raster: Raster, tessdata: Path, languages: tuple[str, ...]) -> RecognisedPage:
    """The words on a grey raster, whichever way up it is. `languages` are those whose data are there, best first; a
    page that turns out to be English is read as such if it can be.

    1.2 CPU-seconds a page of 200 dpi.
    """
    found = _read(raster, tessdata, languages[0])
    if _ENGLISH in languages[1:] and is_english(" ".join(word.text for word in found.words())):
        english = _read(raster, tessdata, _ENGLISH)
        return english if english.confidence >= found.confidence else found
    return found


def _read(raster: Raster, tessdata: Path, language: str) -> RecognisedPage:
    engine = _engine(tessdata, language)
    engine.SetImageBytes(raster.pixels, raster.width, raster.height, 1, raster.width)
    engine.SetSourceResolution(max(70, round(raster.dpi)))
    try:
        engine.Recognize()
        paragraphs = tuple(_paragraphs(engine, raster))
    finally:
        engine.Clear()
    return RecognisedPage(
        width=raster.width * 72 / raster.dpi,
        height=raster.height * 72 / raster.dpi,
        language=language,
        paragraphs=paragraphs,
    )


@lru_cache(maxsize=2)
def _engine(tessdata: Path, language: str) -> Any:
    # Tesseract's threads cost five times the time of one; OpenMP reads this when the library is loaded.
    os.environ["OMP_THREAD_LIMIT"] = "1"
    from tesserocr import PSM, PyTessBaseAPI

    rotated = (tessdata / "osd.traineddata").is_file()
    return PyTessBaseAPI(path=str(tessdata), lang=language, psm=PSM.AUTO_OSD if rotated else PSM.AUTO)


def _paragraphs(engine: Any, raster: Raster) -> Iterator[tuple[tuple[Word, ...], ...]]:
    from tesserocr import RIL, iterate_level

    lines: list[list[Word]] = []
    for place in iterate_level(engine.GetIterator(), RIL.WORD):
        if place.Empty(RIL.WORD):
            continue
        if place.IsAtBeginningOf(RIL.PARA):
            if paragraph := _legible(lines):
                yield paragraph
            lines = []
        if place.IsAtBeginningOf(RIL.TEXTLINE) or not lines:
            lines.append([])
        text = place.GetUTF8Text(RIL.WORD).strip()
        confidence = place.Confidence(RIL.WORD)
        if text and confidence >= _NOISE:
            box = _shares(place.BoundingBox(RIL.WORD), raster)
            lines[-1].append(Word(text=text, box=box, confidence=round(confidence, 1)))
    if paragraph := _legible(lines):
        yield paragraph


def _legible(lines: list[list[Word]]) -> tuple[tuple[Word, ...], ...]:
    """The lines that have words, or nothing if no word among them is one for certain."""
    certain = any(
        word.confidence >= _CERTAIN and sum(map(str.isalnum, word.text)) > 1 for line in lines for word in line
    )
    return tuple(tuple(line) for line in lines if line) if certain else ()


def _shares(box: tuple[int, int, int, int], raster: Raster) -> Box:
    left, top, right, bottom = box
    return (
        round(left / raster.width, 4),
        round(top / raster.height, 4),
        round(right / raster.width, 4),
        round(bottom / raster.height, 4),
    )
