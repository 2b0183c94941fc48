"""The cited page as a picture with the passage marked."""

import asyncio
import io
from pathlib import Path
from typing import Any

import httpx
import pikepdf
import pytest
from PIL import Image, ImageChops
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from ingest_service.reading import page_images
from tests.integration.ingest.bombs import pdf_with
from tests.integration.ingest.documents import damaged_pdf
from tests.integration.ingest.scans import image_bytes, pdf_of, printed
from tests.integration.ingest.service import Service, running

SENTENCE = "A válvula de emergência fica à direita da porta do laboratório."
OTHER = "As medições são anotadas no caderno e conferidas pela coordenação."


def written() -> bytes:
    """Two pages; on the second the sentence stands in the upper third, another in the lower half."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    canvas.drawString(72, 760, "Esta folha fala de outra coisa.")
    canvas.showPage()
    canvas.drawString(72, 700, "A válvula de emergência fica à direita da por-")
    canvas.drawString(72, 684, "ta do laboratório.")
    canvas.drawString(72, 200, OTHER)
    canvas.save()
    return buffer.getvalue()


def landscape(angle: int) -> bytes:
    """A page that is stored upright and shown turned, as programs store landscape pages; OTHER 200 points above its
    lower edge."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    if angle == 90:
        canvas.translate(A4[0], 0)
    else:
        canvas.translate(0, A4[1])
    canvas.rotate(90 if angle == 90 else -90)
    canvas.drawString(72, 400, SENTENCE)
    canvas.drawString(72, 200, OTHER)
    canvas.save()
    with pikepdf.open(buffer) as document:
        document.pages[0].Rotate = angle
        document.save(target := io.BytesIO())
    return target.getvalue()


async def passage(service: Service, document: dict[str, Any], words: str) -> tuple[int, int, int]:
    """Page, start and end of these words in the document's passages."""
    items = (await service.http.get(f"/documents/{document['id']}/chunks")).json()["items"]
    chunk = next(item for item in items if words in item["text"])
    start = chunk["start"] + chunk["text"].index(words)
    return chunk["page_start"], start, start + len(words)


async def drawn(service: Service, document: dict[str, Any], words: str) -> Image.Image:
    page, start, end = await passage(service, document, words)
    response = await service.http.get(f"/documents/{document['id']}/pages/{page}.png?highlight={start}-{end}")
    assert response.headers["content-type"] == "image/png", response.text
    return Image.open(io.BytesIO(response.content)).convert("RGB")


def marked(image: Image.Image) -> tuple[float, float, float, float] | None:
    """The region in the marker's colour, as shares of the picture."""
    red, _, blue = image.split()
    box = ImageChops.subtract(red, blue).point(lambda difference: 255 if difference > 80 else 0).getbbox()
    if box is None:
        return None
    return box[0] / image.width, box[1] / image.height, box[2] / image.width, box[3] / image.height


async def test_the_passage_is_marked_where_it_stands_and_nowhere_else(tmp_path: Path):
    async with running(tmp_path) as service:
        document = await service.add("guia.pdf", written())
        image = await drawn(service, document, SENTENCE)
        assert image.width == 1240
        left, top, right, bottom = marked(image) or pytest.fail("nothing is marked")
        assert 0.11 < left < 0.13
        assert right < 0.6
        assert 0.15 < top < 0.17
        assert 0.18 < bottom < 0.2
        # A marker lets the letters through.
        assert min(image.crop((150, 270, 500, 300)).convert("L").tobytes()) < 60


@pytest.mark.parametrize("angle", [90, 270])
async def test_marks_stand_right_on_turned_pages(angle: int, tmp_path: Path):
    async with running(tmp_path) as service:
        document = await service.add("guia.pdf", landscape(angle))
        image = await drawn(service, document, OTHER)
        assert image.width > image.height
        left, top, _, bottom = marked(image) or pytest.fail("nothing is marked")
        assert abs(left - 72 / A4[1]) < 0.01
        assert abs((top + bottom) / 2 - (1 - 204 / A4[0])) < 0.02


async def test_scanned_pages_and_images_are_marked_by_their_recognised_words(tmp_path: Path):
    page = printed([OTHER, *[""] * 10, SENTENCE])
    async with running(tmp_path) as service:
        for name, data in (("ata.pdf", pdf_of([page])), ("foto.png", image_bytes(page, "PNG"))):
            document = await service.add(name, data)
            box = marked(await drawn(service, document, SENTENCE))
            assert box is not None, name
            middle = (box[1] + box[3]) / 2
            assert abs(middle - (1 - (760 - 11 * 20) / A4[1])) < 0.02, name


async def test_a_repaired_document_shows_its_pages(tmp_path: Path):
    async with running(tmp_path) as service:
        document = await service.add("torto.pdf", damaged_pdf(SENTENCE))
        assert marked(await drawn(service, document, SENTENCE))


async def test_a_page_without_highlight_is_plain_and_is_sent_once(tmp_path: Path):
    async with running(tmp_path) as service:
        document = await service.add("guia.pdf", written())
        url = f"/documents/{document['id']}/pages/2.png"
        first = await service.http.get(url)
        assert marked(Image.open(io.BytesIO(first.content)).convert("RGB")) is None
        again = await service.http.get(url, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        other = await service.http.get(url.replace("/2.png", "/1.png"))
        assert other.headers["etag"] != first.headers["etag"]


async def test_only_the_published_version_is_shown(tmp_path: Path):
    async with running(tmp_path) as service:
        document = await service.add("guia.pdf", written())
        url = f"/documents/{document['id']}/pages/2.png"
        before = await service.http.get(url)
        unreadable = {"files": ("guia.pdf", b"%PDF-1.4\nnothing else")}
        response = await service.http.put(f"/documents/{document['id']}", files=unreadable)
        assert response.status_code == 202, response.text
        assert (await service.settled(document["id"]))["status"] == "quarantined"
        assert (await service.http.get(url)).headers["etag"] == before.headers["etag"]


async def test_a_citation_of_an_older_version_marks_nothing_in_the_newer_one(tmp_path: Path):
    async with running(tmp_path) as service:
        document = await service.add("guia.pdf", written())
        url = f"/documents/{document['id']}/pages/2.png?highlight=40-60&version=1"
        assert (await service.http.get(url)).status_code == 200
        await service.http.put(f"/documents/{document['id']}", files={"files": ("guia.pdf", landscape(90))})
        assert (await service.settled(document["id"]))["published_version"] == 2
        response = await service.http.get(url)
        assert (response.status_code, response.json()["code"]) == (404, "other_version")
        assert "version 2" in response.json()["detail"]


@pytest.mark.parametrize("highlight", ["abc", "5", "9-3", "-4-9", "0-99999", "4000-4100"])
async def test_a_wrong_highlight_is_told_so(highlight: str, tmp_path: Path):
    async with running(tmp_path) as service:
        document = await service.add("guia.pdf", written())
        response = await service.http.get(f"/documents/{document['id']}/pages/1.png", params={"highlight": highlight})
        assert response.status_code == 422
        assert "highlight" in response.json()["detail"]


async def test_pages_that_are_not_there_are_404_with_a_sentence(tmp_path: Path):
    async with running(tmp_path) as service:
        document = await service.add("guia.pdf", written())
        text = await service.add("nota.txt", b"Uma nota sem folhas.")

        async def refused(document: dict[str, Any], page: int) -> str:
            response: httpx.Response = await service.http.get(f"/documents/{document['id']}/pages/{page}.png")
            assert response.status_code == 404
            return str(response.json()["detail"])

        assert "There is no page 3: the document has 2 pages." in await refused(document, 3)
        assert "nota.txt has no page images" in await refused(text, 1)


async def test_pages_that_cannot_be_drawn_say_so_and_keep_no_other_from_being_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(page_images, "PATIENCE_S", 60)
    monkeypatch.setattr(page_images, "MAX_WAITING", 1)
    async with running(tmp_path, parse_timeout_s=10, parse_memory_mb=700) as service:
        document = await service.add("bomba.pdf", pdf_with("endless", pages=3, at=2))
        url = f"/documents/{document['id']}/pages/2.png"
        answers = await asyncio.gather(*(service.http.get(url) for _ in range(page_images.AT_ONCE + 3)))
        by_status = {answer.status_code: answer for answer in answers}
        # Two were drawn and one waited; the others were told at once.
        assert sorted(answer.status_code for answer in answers) == [422, 422, 422, 503, 503]
        assert "cannot be drawn" in by_status[422].json()["detail"]
        assert by_status[503].headers["retry-after"] == "2"
        assert (await service.http.get(f"/documents/{document['id']}/pages/3.png")).status_code == 200
