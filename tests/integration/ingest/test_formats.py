"""Documents of all kinds through the real service: told by their bytes, found by their words, served safely."""

from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from ingest_service.parsing import media_types as kinds
from tests.integration.ingest.service import Service, running
from tests.unit.ingest.formats.office_files import guide, slides, workbook

PAGE = b"<!DOCTYPE html><html><body><script>alert(1)</script><p>O tamandu\xe1 atravessa.</p></body></html>"
DRAWING = b"<svg xmlns='x'><text>O tamandua</text><script>1</script></svg>"
MAIL = b"From: a@b.br\r\nTo: c@d.br\r\nSubject: Visita\r\nMIME-Version: 1.0\r\n\r\nO tamandua escreve."


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path) as service:
        yield service


@pytest.mark.parametrize(
    ("name", "make", "told", "question"),
    [
        ("guia.pdf", guide, (kinds.DOCX, 3), "lâmpada do laboratório"),
        ("aula.txt", slides, (kinds.PPTX, 3), "demonstração"),
        ("notas.doc", workbook, (kinds.XLSX, 3), "nota de Mário"),
        ("pagina.md", lambda: PAGE, (kinds.HTML, None), "tamanduá"),
        ("recado", lambda: MAIL, (kinds.EML, None), "visita do tamandua"),
        ("turma.csv", lambda: "Aluno;Sala\nTamanduá;A12\n".encode("cp1252"), (kinds.CSV, None), "sala do tamanduá"),
    ],
)
async def test_a_document_is_what_its_bytes_say(
    service: Service, name: str, make: Callable[[], bytes], told: tuple[str, int | None], question: str
):
    document = await service.add(name, make())
    assert (document["status"], document["media_type"], document["pages"]) == ("ready", *told)
    assert name in await service.found(question)


@pytest.mark.parametrize(
    ("name", "data", "served", "manner"),
    [
        ("guia.docx", guide(), kinds.DOCX, "attachment"),
        ("pagina.html", PAGE, "text/plain; charset=utf-8", "inline"),
        (
            "desenho.svg",
            b"<svg xmlns='x'><text>O tamandua</text><script>1</script></svg>",
            "text/plain; charset=utf-8",
            "inline",
        ),
        ("recado.eml", MAIL, "text/plain; charset=utf-8", "inline"),
    ],
)
async def test_a_browser_runs_nothing_of_what_it_is_served(
    service: Service, name: str, data: bytes, served: str, manner: str
):
    document = await service.add(name, data)
    content = await service.http.get(f"/documents/{document['id']}/content")
    assert content.content == data
    assert content.headers["content-type"] == served
    assert content.headers["content-disposition"].startswith(f"{manner}; ")
    assert content.headers["x-content-type-options"] == "nosniff"


async def test_a_refusal_lists_what_can_be_read(service: Service):
    response = await service.upload("video.mp4", b"\x00\x00\x00\x18ftypmp42\x00\x00")
    assert response.status_code == 415
    for kind in ("PDF", "DOCX", "PPTX", "XLSX", "EPUB", "EML", "Markdown", "PNG"):
        assert kind in response.json()["detail"]


async def test_what_an_attachment_lost_is_in_the_note_of_its_document(service: Service):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@b.br", "c@d.br", "Anexo"
    message.set_content("Segue o anexo.")
    message.add_attachment(b"MZ\x90\x00", maintype="application", subtype="octet-stream", filename="a.exe")
    document = await service.add("anexo.eml", message.as_bytes())
    assert document["status"] == "ready"
    assert "a.exe" in (document["note"] or "")
