"""Every wrong request gets a problem document that says what to do, and the service goes on."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from shared.auth.keys import Scope, create_key
from tests.integration.ingest.documents import pdf, pdf_without_pages, protected_pdf
from tests.integration.ingest.service import Service, running


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path) as service:
        yield service
        assert (await service.add("depois.txt", "Tudo continua de pé.".encode()))["status"] == "ready"


def assert_problem(response: httpx.Response, status: int, words: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert words in body["detail"]
    assert body["request_id"]
    assert "/tmp" not in response.text
    assert "Traceback" not in response.text


async def test_no_body_is_told_how_to_send_one(service: Service):
    assert_problem(await service.http.post("/documents"), 422, "multipart/form-data")


async def test_a_form_without_files_is_told_the_field(service: Service):
    assert_problem(await service.http.post("/documents", files={"other": (None, "x")}), 422, "'files'")


async def test_a_broken_form_is_no_crash(service: Service):
    response = await service.http.post(
        "/documents", content=b"--nothing", headers={"content-type": "multipart/form-data; boundary=x"}
    )
    assert 400 <= response.status_code < 500
    headers = {"content-type": "multipart/form-data"}
    assert (await service.http.post("/documents", content=b"x", headers=headers)).status_code < 500


async def test_an_unknown_content_type_is_told_what_is_taken(service: Service):
    response = await service.http.post("/documents", content=b"x", headers={"content-type": "text/csv"})
    assert_problem(response, 415, "multipart/form-data")


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"x"', b"null", b'{"title": 5, "text": "a"}', b'{"title": "a"}', b"\xff"]
)
async def test_wrong_json_is_named(service: Service, body: bytes):
    response = await service.http.post("/documents", content=body, headers={"content-type": "application/json"})
    assert_problem(response, 422, "")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH", "PUT"])
async def test_an_unknown_document_is_not_found(service: Service, method: str):
    bodies = {"PATCH": {"json": {"title": "x"}}, "PUT": {"files": {"files": ("a.txt", b"a")}}}
    response = await service.http.request(method, f"/documents/{uuid4()}", **bodies.get(method, {}))  # type: ignore[arg-type]
    assert_problem(response, 404, "GET /documents")


@pytest.mark.parametrize(
    "path", ["/documents/not-a-uuid", "/documents/1/chunks", "/jobs/xyz", "/jobs/xyz/events", "/documents?limit=0"]
)
async def test_a_malformed_id_or_query_is_named(service: Service, path: str):
    assert_problem(await service.http.get(path), 422, "")


@pytest.mark.parametrize(
    "path", ["/documents?status=done", "/documents?cursor=AAAA", "/jobs?state=gone", "/jobs?cursor=%%"]
)
async def test_a_wrong_filter_or_cursor_is_named(service: Service, path: str):
    assert_problem(await service.http.get(path), 400, "")


@pytest.mark.parametrize("path", ["", "/events", "/retry", "/cancel"])
async def test_an_unknown_job_is_not_found(service: Service, path: str):
    method = "POST" if path in {"/retry", "/cancel"} else "GET"
    assert_problem(await service.http.request(method, f"/jobs/{uuid4()}{path}"), 404, "GET /jobs")


async def test_an_empty_file_is_refused(service: Service):
    assert_problem(await service.upload("vazio.pdf", b""), 422, "0 bytes")


async def test_an_empty_text_is_refused(service: Service):
    assert_problem(await service.http.post("/documents", json={"title": "a", "text": "  \n"}), 422, "empty")


async def test_a_protected_pdf_is_refused_at_the_door(service: Service):
    assert_problem(await service.upload("senha.pdf", protected_pdf()), 422, "protected by a password")
    assert await service.documents() == {}


async def test_a_pdf_without_pages_is_refused_at_the_door(service: Service):
    assert_problem(await service.upload("nada.pdf", pdf_without_pages()), 422, "no pages")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("setup.exe", b"MZ\x90\x00\x03\x00\x00\x00"),
        ("aula.pdf", b"MZ\x90\x00\x03\x00\x00\x00"),
        ("programa.txt", b"\x7fELF\x02\x01\x01\x00"),
        ("varios.zip", b"PK\x03\x04\x14\x00\x06\x00\x08\x00"),
        ("ruido.bin", bytes(range(256))),
    ],
)
async def test_what_nobody_can_read_is_refused_by_its_content(service: Service, name: str, data: bytes):
    assert_problem(await service.upload(name, data), 415, name)


async def test_too_many_pages_are_refused_naming_the_setting(tmp_path: Path):
    async with running(tmp_path, max_pages=2) as service:
        assert_problem(await service.upload("longo.pdf", pdf(["a", "b", "c"])), 422, "INGEST__MAX_PAGES")


async def test_a_hundred_megabytes_are_refused_before_they_are_read(service: Service):
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield b"x" * (1 << 20)

    headers = {"content-type": "multipart/form-data; boundary=x", "content-length": str(100 << 20)}
    response = await service.http.post("/documents", content=endless(), headers=headers)
    assert_problem(response, 413, "INGEST__MAX_FILE_MB")


async def test_a_file_over_the_limit_is_refused_naming_the_setting(tmp_path: Path):
    async with running(tmp_path, max_file_mb=1) as service:
        response = await service.upload("grande.txt", b"palavra " * 140_000)
        assert_problem(response, 413, "INGEST__MAX_FILE_MB")
        assert not [path for path in (service.data / "originals").rglob("*") if path.is_file()]


async def test_a_full_queue_says_when_to_come_back(tmp_path: Path):
    async with running(tmp_path, workers=0, max_queued=2) as service:
        for number in range(2):
            assert (await service.upload(f"{number}.txt", f"texto {number}".encode())).status_code == 202
        response = await service.upload("3.txt", b"texto tres")
        assert_problem(response, 503, "INGEST__MAX_QUEUED")
        assert response.headers["retry-after"]
        assert (await service.upload("outra.txt", b"texto 1")).status_code == 200


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\temp\\a.txt", "a.txt"), (" aula  1.txt", "aula 1.txt"), ("..", "document")],
)
async def test_names_are_made_harmless(service: Service, sent: str, kept: str):
    item = (await service.upload(sent, f"Texto de {kept}.".encode())).json()["documents"][0]
    assert item["name"] == kept


async def test_keys_are_asked_for_and_their_scopes_kept(tmp_path: Path):
    async with running(tmp_path, auth="on") as service:
        assert_problem(await service.http.get("/documents"), 401, "key")
        ask = {"X-API-Key": create_key(service.engine, "pergunta", [Scope.ASK])}
        ingest = {"Authorization": f"Bearer {create_key(service.engine, 'envio', [Scope.INGEST])}"}
        for headers in (ask, ingest):
            assert (await service.http.get("/documents", headers=headers)).status_code == 200
        files = {"files": ("a.txt", b"texto")}
        assert_problem(await service.http.post("/documents", files=files, headers=ask), 403, "ingest")
        assert (await service.http.post("/documents", files=files, headers=ingest)).status_code == 202


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ('{"a": ' * 9 + "1" + "}" * 9, "nested more than 8 deep"),
        ('{"a": ' + "[" * 5000 + "]" * 5000 + "}", "deep"),
        ('{"a": NaN}', "NaN"),
        ('{"a": [1e999]}', "Infinity"),
        ('{"date": "01/05/2026"}', "2026-05-01"),
        ('{"date": "2026-05-01abc"}', "2026-05-01"),
        (r'{"a": "x\u0000y"}', "NUL"),
        (r'{"a": {"b": [1, "\u0000"]}}', "NUL"),
        (r'{"a\u0000": 1}', "NUL"),
    ],
)
async def test_metadata_that_no_filter_can_use_are_refused_by_every_way_in(service: Service, metadata: str, words: str):
    document = await service.add("a.txt", b"Um texto rotulado.")
    assert_problem(await service.upload("b.txt", b"Outro texto.", metadata=metadata), 422, "metadata")
    json_body = {"content-type": "application/json"}
    text = f'{{"title": "c", "text": "Um texto.", "metadata": {metadata}}}'.encode()
    sent = await service.http.post("/documents", content=text, headers=json_body)
    path = f"/documents/{document['id']}"
    patched = await service.http.patch(path, content=f'{{"metadata": {metadata}}}', headers=json_body)
    for response in (sent, patched):
        assert response.status_code in {400, 422}
        assert words in response.json()["detail"]
    assert set(await service.documents(metadata="a=1")) == set()
    assert set(await service.documents()) == {"a.txt"}


@pytest.mark.parametrize("field", ["name", "collection", "language"])
async def test_a_filter_with_nul_is_named(service: Service, field: str):
    assert_problem(await service.http.get(f"/documents?{field}=a%00b"), 422, "NUL")


async def test_a_source_with_nul_is_named(service: Service):
    document = await service.add("a.txt", b"Um texto.")
    assert_problem(await service.http.delete(f"/documents/{document['id']}?source=a%00b"), 422, "NUL")
    assert (await service.document(document["id"]))["status"] == "ready"


async def test_metadata_may_tell_how_json_writes_nul(service: Service):
    response = await service.upload("a.txt", b"Um texto.", metadata=json.dumps({"a": r"\u0000"}))
    assert response.status_code == 202


async def test_metadata_do_not_grow_beyond_the_limit_by_sending_the_same_again(service: Service):
    for number in range(2):
        metadata = json.dumps({f"{number}-{key}": "x" for key in range(30)})
        response = await service.upload("a.txt", b"Um texto rotulado.", metadata=metadata)
    assert_problem(response, 422, "the limit is 50")
    assert len((await service.documents())["a.txt"]["metadata"]) == 30


@pytest.mark.parametrize("field", ["metadata", "collection"])
async def test_a_file_in_the_place_of_a_label_is_refused(service: Service, field: str):
    files = [("files", ("a.txt", b"Um texto.")), (field, ("labels.json", b"{}"))]
    assert_problem(await service.http.post("/documents", files=files), 422, f"'{field}'")


async def test_a_title_that_nobody_can_see_is_refused(service: Service):
    assert_problem(await service.http.post("/documents", json={"title": " \u200b", "text": "a"}), 422, "visible")


async def test_absurd_numbers_and_cursors_are_told_so(service: Service):
    document = await service.add("a.txt", b"Um texto numerado.")
    assert_problem(await service.http.get(f"/documents/{document['id']}/pages/{'9' * 4000}.png"), 422, "number")
    cursor = base64.urlsafe_b64encode(f"0001-01-01T00:00:00+14:00|{uuid4()}".encode()).decode()
    assert_problem(await service.http.get("/documents", params={"cursor": cursor}), 400, "cursor")


async def test_many_mistakes_are_counted_and_the_first_named(service: Service):
    response = await service.http.post("/documents/diff", json={"items": [{}] * 5000})
    assert_problem(response, 422, "15000 fields are wrong")
    assert len(response.json()["errors"]) == 20
