"""What unstructured leaves out of slides, or puts before the slide it belongs to: charts, diagrams, and the speaker's
notes. By python-pptx, which reads the package for unstructured too."""

import io
from collections.abc import Iterator
from itertools import zip_longest

from pptx import Presentation
from pptx.chart.chart import Chart
from pptx.exc import PythonPptxError
from pptx.shapes.base import BaseShape
from pptx.shapes.graphfrm import GraphicFrame
from pptx.shapes.group import GroupShape
from pptx.slide import Slide

from ingest_service.parsing.blocks import Block, BlockKind
from ingest_service.parsing.markup.markdown_table import markdown_table
from ingest_service.parsing.office.ooxml import parsed

_DIAGRAM = "/diagramData"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


NotAPresentation: type[Exception] = PythonPptxError
"""What python-pptx raises where a package is none, below unstructured too."""


def extra_blocks(package: bytes) -> Iterator[Block]:
    """Slide by slide: charts as tables, the texts of diagrams as list items, then the notes as paragraphs.

    Raises `NotAPresentation`, and whatever malformed values lead to.
    """
    presentation = Presentation(io.BytesIO(package))
    for page, slide in enumerate(presentation.slides, 1):
        for shape in _shapes(slide):
            if isinstance(shape, GraphicFrame) and shape.has_chart and (table := markdown_table(_values(shape.chart))):
                yield Block(kind=BlockKind.TABLE, text=table, page=page)
        for text in _diagram_texts(slide):
            yield Block(kind=BlockKind.LIST_ITEM, text=text, page=page)
        notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        for paragraph in notes.text.split("\n") if notes else ():
            if paragraph.strip():
                yield Block(kind=BlockKind.PARAGRAPH, text=paragraph.strip(), page=page)


def _shapes(slide: Slide) -> Iterator[BaseShape]:
    waiting = list(reversed(list(slide.shapes)))
    while waiting:
        shape = waiting.pop()
        if isinstance(shape, GroupShape):
            waiting.extend(reversed(list(shape.shapes)))
        else:
            yield shape


def _values(chart: Chart) -> list[list[str]]:
    """A column for each series, a row for each category, as the table below a chart shows them."""
    series = list(chart.series)
    categories = [str(category) for category in chart.plots[0].categories] if len(chart.plots) else []
    header = ["", *(one.name for one in series)]
    columns = [[_number(value) for value in one.values] for one in series]
    return [header, *([*row] for row in zip_longest(categories, *columns, fillvalue=""))]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.15g}".replace(".", ",")


def _diagram_texts(slide: Slide) -> Iterator[str]:
    for relation in slide.part.rels.values():
        if relation.reltype.endswith(_DIAGRAM) and not relation.is_external:
            for paragraph in parsed(relation.target_part.blob).iter(f"{_DRAWING}p"):
                if text := " ".join("".join(paragraph.itertext(f"{_DRAWING}t")).split()):
                    yield text
