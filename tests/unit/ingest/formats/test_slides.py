"""PPTX: what stands on slides, and behind them."""

import pytest

from ingest_service.parsing.blocks import BlockKind
from ingest_service.parsing.errors import TooManyPages
from tests.unit.ingest.formats.office_files import SENTENCE, rewritten, slides
from tests.unit.ingest.formats.reading import LIMITS, read


def test_a_slide_is_a_page_under_its_title_with_its_notes_at_its_end():
    document = read(slides())
    assert (document.title, document.pages) == ("Redes 5G", 3)
    assert [(block.page, block.kind, block.text) for block in document.blocks] == [
        (1, BlockKind.HEADING, "Redes 5G"),
        (1, BlockKind.PARAGRAPH, SENTENCE),
        (1, BlockKind.PARAGRAPH, "O atraso é curto."),
        (1, BlockKind.PARAGRAPH, "Lembrar da demonstração."),
        (1, BlockKind.PARAGRAPH, "Depois, perguntas."),
        (2, BlockKind.HEADING, "Slide 2"),
        (2, BlockKind.PARAGRAPH, "Um texto solto na página."),
        (3, BlockKind.HEADING, "Medidas"),
        (3, BlockKind.TABLE, "| Sala | Tensão |\n| --- | --- |\n| A12 | 12,5 V |"),
        (3, BlockKind.TABLE, "|  | Consumo |\n| --- | --- |\n| março | 1,5 |\n| abril | 2 |"),
    ]


def test_the_texts_of_a_diagram_are_read():
    relations = "ppt/slides/_rels/slide2.xml.rels"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/diagramData"
    diagram = (
        '<d:dataModel xmlns:d="http://schemas.openxmlformats.org/drawingml/2006/diagram" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><d:t><a:p><a:r><a:t>Medir e </a:t></a:r>'
        "<a:r><a:t>anotar</a:t></a:r></a:p></d:t></d:dataModel>"
    )
    from ingest_service.parsing.archive import member

    linked = member(slides(), relations).replace(
        b"</Relationships>",
        f'<Relationship Id="rId9" Type="{kind}" Target="../diagrams/data1.xml"/></Relationships>'.encode(),
    )
    document = read(rewritten(slides(), {relations: linked, "ppt/diagrams/data1.xml": diagram.encode()}))
    assert [block.text for block in document.blocks if block.page == 2] == [
        "Slide 2",
        "Um texto solto na página.",
        "Medir e anotar",
    ]


def test_too_many_slides_are_refused_naming_the_setting():
    with pytest.raises(TooManyPages, match="INGEST__MAX_PAGES"):
        read(slides(), limits=LIMITS.model_copy(update={"max_pages": 2}))
