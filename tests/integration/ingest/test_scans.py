"""Text that is an image: recognised page by page, only where it is needed, and never twice."""

import io
import os
from pathlib import Path

import pikepdf
from PIL import Image

from ingest_service.reading.recognition import kept_page
from tests.integration.ingest.documents import pdf, scanned_pdf
from tests.integration.ingest.scans import image_bytes, pdf_of, printed
from tests.integration.ingest.service import running, until

FIRST = "A válvula de emergência fica à direita da porta do laboratório."
SECOND = "A manutenção da antena é feita às terças-feiras pela manhã."
FILLER = [
    "As medições são anotadas no caderno e conferidas pela coordenação.",
    "Não há razão para trocar o equipamento antes do fim de junho.",
]


async def test_a_scanned_document_is_found_by_its_words_with_its_page(tmp_path: Path):
    scan = pdf_of([printed([FIRST, *FILLER]), printed([SECOND, *FILLER])])
    async with running(tmp_path) as service:
        document = await service.add("ata.pdf", scan)
        assert (document["status"], document["pages"]) == ("ready", 2)
        chunks = (await service.http.get(f"/documents/{document['id']}/chunks")).json()["items"]
        assert [(chunk["page_start"], FIRST in chunk["text"]) for chunk in chunks] == [(1, True), (2, False)]
        assert SECOND in chunks[1]["text"]
        assert await service.found("válvula de emergência") == ["ata.pdf"]
        assert (await service.facts())["ocr"] == "por, eng"


async def test_only_pages_without_text_are_recognised_and_the_stage_is_seen(tmp_path: Path):
    mixed = pdf_of([["Esta folha tem texto escrito e não precisa de reconhecimento."], printed([SECOND, *FILLER])])
    async with running(tmp_path) as service:
        response = await service.upload("misto.pdf", mixed)
        async with service.http.stream("GET", f"/jobs/{response.json()['documents'][0]['job_id']}/events") as events:
            told = "".join([text async for text in events.aiter_text()])
        assert '"recognising"' in told
        document = (await service.documents())["misto.pdf"]
        assert document["status"] == "ready"
        kept = sorted((service.data / "recognised").rglob("*.json"))
        assert [path.name for path in kept] == ["2.json"]
        texts = [
            chunk["text"] for chunk in (await service.http.get(f"/documents/{document['id']}/chunks")).json()["items"]
        ]
        assert any("texto escrito" in text for text in texts)
        assert any(SECOND in text for text in texts)


async def test_pages_scanned_the_wrong_way_round_are_read(tmp_path: Path):
    page = printed([FIRST, SECOND, *FILLER] * 4)
    turned = [page.rotate(angle, expand=True, fillcolor=255) for angle in (90, 180, 270)]
    async with running(tmp_path) as service:
        document = await service.add("girado.pdf", pdf_of(turned))
        chunks = (await service.http.get(f"/documents/{document['id']}/chunks")).json()["items"]
        assert {chunk["page_start"] for chunk in chunks if FIRST in chunk["text"]} == {1, 2, 3}


async def test_a_page_stored_sideways_is_read_although_its_layout_is_not(tmp_path: Path):
    with pikepdf.open(io.BytesIO(pdf([FIRST]))) as document:
        document.pages[0].Rotate = 90
        document.save(target := io.BytesIO())
    async with running(tmp_path) as service:
        added = await service.add("deitado.pdf", target.getvalue())
        chunks = (await service.http.get(f"/documents/{added['id']}/chunks")).json()["items"]
        assert FIRST in chunks[0]["text"]


async def test_images_are_read_whatever_their_kind(tmp_path: Path):
    page = printed([FIRST, *FILLER])
    async with running(tmp_path) as service:
        for kind in ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"):
            document = await service.add(f"foto.{kind.lower()}", image_bytes(page, kind))
            assert (document["status"], document["pages"]) == ("ready", 1), kind
        assert len(await service.found("válvula de emergência")) == 6


async def test_each_image_of_a_tiff_is_a_page(tmp_path: Path):
    fax = image_bytes(printed([FIRST, *FILLER]), "TIFF", printed([SECOND, *FILLER]))
    async with running(tmp_path) as service:
        document = await service.add("fax.tiff", fax)
        chunks = (await service.http.get(f"/documents/{document['id']}/chunks")).json()["items"]
        assert [(chunk["page_start"], SECOND in chunk["text"]) for chunk in chunks] == [(1, False), (2, True)]


async def test_a_photo_taken_sideways_is_turned_upright(tmp_path: Path):
    image = printed([FIRST, *FILLER]).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it 90 degrees clockwise
    image.save(tmp_path / "foto.jpg", exif=exif)
    async with running(tmp_path) as service:
        document = await service.add("foto.jpg", (tmp_path / "foto.jpg").read_bytes())
        chunks = (await service.http.get(f"/documents/{document['id']}/chunks")).json()["items"]
        assert FIRST in chunks[0]["text"]


async def test_english_pages_are_read_as_english(tmp_path: Path):
    lines = [
        "The measurement of the antenna was made in the laboratory on Tuesday.",
        "There is no reason to replace the equipment before the end of June.",
        "The results of this test are kept by the team that is on duty.",
    ]
    async with running(tmp_path) as service:
        document = await service.add("report.pdf", pdf_of([printed(lines)]))
        assert document["status"] == "ready"
        folder = next((service.data / "recognised").iterdir())
        page = kept_page(folder, 1)
        assert page is not None
        assert page.language == "eng"


async def test_a_drawing_without_a_word_ends_as_no_text_and_says_so(tmp_path: Path):
    async with running(tmp_path) as service:
        document = await service.add("desenho.pdf", scanned_pdf(2))
        assert document["status"] == "no_text"
        assert "2 pages" in document["error"]


async def test_without_language_data_readyz_and_the_document_say_what_to_install(tmp_path: Path):
    empty = tmp_path / "empty"
    empty.mkdir()
    async with running(tmp_path, tessdata_dir=empty) as service:
        assert (await service.facts())["ocr"].startswith("missing: ")
        scan = await service.add("ata.pdf", pdf_of([printed([FIRST])]))
        assert scan["status"] == "no_text"
        assert "tesseract-ocr-por" in scan["error"]
        assert "INGEST__TESSDATA_DIR" in scan["error"]
        mixed = await service.add("misto.pdf", pdf_of([["Texto escrito com todas as letras."], printed([SECOND])]))
        assert mixed["status"] == "ready"


async def test_a_retry_recognises_no_page_twice_and_the_last_deletion_drops_what_was_kept(tmp_path: Path):
    scan = pdf_of([printed([FIRST, *FILLER]), printed([SECOND, *FILLER])])
    async with running(tmp_path) as service:
        document = await service.add("ata.pdf", scan)
        kept = sorted((service.data / "recognised").rglob("*.json"))
        assert [path.name for path in kept] == ["1.json", "2.json"]
        for path in kept:
            os.utime(path, (1, 1))
        response = await service.http.patch(f"/documents/{document['id']}", json={"title": "Ata de maio"})
        assert response.is_success
        again = await service.settled(document["id"])
        assert (again["status"], again["title"]) == ("ready", "Ata de maio")
        assert {path.stat().st_mtime for path in kept} == {1}
        await service.http.delete(f"/documents/{document['id']}")

        async def dropped() -> bool:
            return not any((service.data / "recognised").iterdir())

        await until(dropped, "the recognised pages to be dropped")


async def test_a_huge_image_is_refused_with_its_size(tmp_path: Path):
    bomb = image_bytes(Image.new("1", (30_000, 30_000)), "PNG")
    assert len(bomb) < 1_000_000
    async with running(tmp_path) as service:
        document = await service.add("bomba.png", bomb)
        assert document["status"] == "quarantined"
        assert "900 million pixels" in document["error"]
