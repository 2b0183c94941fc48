"""Documents over HTTP: arriving, the same again, changing, going."""

import asyncio
import json
from collections.abc import AsyncIterator
from concurrent.futures import Future, wait
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlmodel import Session

from ingest_service.documents.lifecycle import add_job, live_document
from ingest_service.tables import DocumentRow, JobKind
from shared.embeddings.lexical import LexicalEncoder
from shared.models import DEFAULT_ORGANIZATION_ID as ORG
from shared.models import Filters
from shared.observability.metrics import CHUNKS_STORED
from shared.vector_store.protocol import EmbeddedChunk
from tests.integration.ingest.documents import long_text, pdf, scanned_pdf
from tests.integration.ingest.service import Service, running, until


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path) as service:
        yield service


async def test_an_uploaded_pdf_is_found_with_its_page(service: Service):
    response = await service.upload("ensaio.pdf", pdf(["Primeira parte.", "O jatobá gigante mede noventa metros."]))
    assert response.status_code == 202
    item = response.json()["documents"][0]
    assert (item["name"], item["duplicate"]) == ("ensaio.pdf", False)
    assert response.headers["location"] == f"/jobs/{item['job_id']}"
    assert response.headers["retry-after"]
    document = await service.settled(item["id"])
    assert (document["status"], document["pages"]) == ("ready", 2)
    assert "ensaio.pdf" in await service.found("altura do jatobá gigante")
    chunks = (await service.http.get(f"/documents/{item['id']}/chunks")).json()["items"]
    assert len(chunks) == document["chunks"] > 1
    assert [chunk["page_start"] for chunk in chunks if "jatobá" in chunk["text"]] == [2]


async def test_the_same_bytes_under_another_name_are_the_same_document_and_add_nothing(service: Service):
    data = pdf(["O ipê roxo floresce em julho."])
    first = await service.add("ipe.pdf", data)
    again = await service.upload("outro nome.pdf", data)
    assert again.status_code == 200
    assert again.json()["documents"][0] == {
        "id": first["id"],
        "name": "ipe.pdf",
        "status": "ready",
        "job_id": None,
        "duplicate": True,
        "error": None,
    }
    assert await service.chunks_of(first["id"]) == first["chunks"]
    keys = {source["key"] for source in (await service.document(first["id"]))["sources"]}
    assert keys == {"ipe.pdf", "outro nome.pdf"}


async def test_other_bytes_under_the_same_name_replace_the_old_text_when_they_are_ready(service: Service):
    first = await service.add("norma.txt", b"A torre vermelha mede quarenta passos.")
    second = await service.add("norma.txt", b"Um mastro azul foi pintado ontem.")
    assert (second["id"], second["version"], second["published_version"]) == (first["id"], 2, 2)
    assert await service.found("torre vermelha quarenta passos") == []
    assert await service.found("mastro azul") == ["norma.txt"]
    content = await service.http.get(f"/documents/{first['id']}/content")
    assert content.text == "Um mastro azul foi pintado ontem."
    originals = [path for path in (service.data / "originals").rglob("*") if path.is_file()]
    assert len(originals) == 1


async def test_a_new_version_that_cannot_be_read_leaves_the_old_one_searchable(service: Service):
    first = await service.add("planta.pdf", pdf(["A subestação fica no galpão norte."]))
    put = await service.http.put(
        f"/documents/{first['id']}", files={"files": ("planta.pdf", b"%PDF-1.7\nnada alem disto")}
    )
    assert put.status_code == 202
    failed = await service.settled(first["id"])
    assert (failed["status"], failed["version"], failed["published_version"]) == ("quarantined", 2, 1)
    assert "damaged" in failed["error"]
    assert await service.found("subestação galpão norte") == ["planta.pdf"]
    content = await service.http.get(f"/documents/{first['id']}/content")
    assert content.content.startswith(b"%PDF")
    assert len(content.content) > 1000


async def test_put_with_the_bytes_of_another_document_is_a_conflict(service: Service):
    first = await service.add("a.txt", b"Texto do primeiro documento.")
    await service.add("b.txt", b"Texto do segundo documento.")
    put = await service.http.put(
        f"/documents/{first['id']}", files={"files": ("a.txt", b"Texto do segundo documento.")}
    )
    assert put.status_code == 409


async def test_a_deleted_document_is_unfindable_at_once_and_leaves_nothing(service: Service):
    document = await service.add("aviso.txt", "O gerador diesel fica atrás do prédio.".encode())
    assert await service.found("gerador diesel") == ["aviso.txt"]
    deletion = await service.http.delete(f"/documents/{document['id']}")
    assert deletion.status_code == 202
    assert await service.found("gerador diesel") == []
    assert "aviso.txt" not in await service.documents()
    await service.job(deletion.json()["job_id"], "done")
    assert (await service.http.get(f"/documents/{document['id']}")).status_code == 404
    assert await service.chunks_of(document["id"]) == 0
    assert not [path for path in (service.data / "originals").rglob("*") if path.is_file()]


async def test_a_deleted_document_may_be_sent_again(service: Service):
    data = b"A bancada quatro tem um analisador de espectro."
    first = await service.add("bancada.txt", data)
    await service.http.delete(f"/documents/{first['id']}")
    second = await service.add("bancada.txt", data)
    assert second["id"] != first["id"]
    assert await service.found("analisador de espectro") == ["bancada.txt"]


async def test_a_text_is_a_document_with_its_title(service: Service):
    body = {"title": "Aviso do rack", "text": "O rack Ipê tem 42 unidades.", "metadata": {"curso": "TP555"}}
    response = await service.http.post("/documents", json=body)
    assert response.status_code == 202
    document = await service.settled(response.json()["documents"][0]["id"])
    assert (document["title"], document["metadata"]) == ("Aviso do rack", {"curso": "TP555"})
    assert await service.found("rack ipê") == ["Aviso do rack"]


async def test_a_document_without_text_says_so(service: Service):
    document = await service.add("digitalizado.pdf", scanned_pdf(3))
    assert (document["status"], document["pages"], document["chunks"]) == ("no_text", 3, 0)
    assert "3 pages" in document["error"]


async def test_several_files_are_judged_one_by_one(service: Service):
    files = [("files", ("bom.txt", b"Um texto bom.")), ("files", ("ruim.exe", b"MZ\x90\x00\x03\x00"))]
    response = await service.http.post("/documents", files=files)
    assert response.status_code == 202
    good, bad = response.json()["documents"]
    assert (good["status"], bad["status"], bad["id"]) == ("queued", "refused", None)
    assert "program" in bad["error"]


async def test_a_pdf_with_the_wrong_suffix_is_read_as_the_pdf_it_is(service: Service):
    document = await service.add("renomeado.txt", pdf(["A cúpula tem doze faces."]))
    assert (document["status"], document["media_type"], document["pages"]) == ("ready", "application/pdf", 1)


async def test_a_new_title_reaches_the_citations_without_a_gap(service: Service):
    document = await service.add("glossario.txt", "O termo handover quer dizer troca de célula.".encode())
    stored = CHUNKS_STORED._value.get()
    patched = await service.http.patch(f"/documents/{document['id']}", json={"title": "Glossário móvel"})
    assert patched.status_code == 200
    after = await service.settled(document["id"])
    assert (after["title"], after["version"]) == ("Glossário móvel", 1)
    assert CHUNKS_STORED._value.get() == stored
    assert await service.found("glossário móvel") == ["glossario.txt"]
    chunks = (await service.http.get(f"/documents/{document['id']}/chunks")).json()["items"]
    assert {chunk["title"] for chunk in chunks} == {"Glossário móvel"}
    assert await service.chunks_of(document["id"]) == len(chunks) == 1


async def test_a_title_taken_back_leaves_the_documents_own(service: Service):
    document = await service.add("manual.md", b"# Manual da bancada\n\nLigue a bancada pela chave.")
    for given, shown in (("Meu título", "Meu título"), ("", "Manual da bancada")):
        patched = await service.http.patch(f"/documents/{document['id']}", json={"title": given})
        assert patched.json()["title"] == shown
        await service.settled(document["id"])
        chunks = (await service.http.get(f"/documents/{document['id']}/chunks")).json()["items"]
        assert {chunk["title"] for chunk in chunks} == {shown}


async def test_what_a_document_is_labelled_with_narrows_searches_and_makes_no_vector(service: Service):
    stored = CHUNKS_STORED._value.get()
    text = "A norma da bancada pede luvas e óculos para quem solda placas de circuito."
    form = {"metadata": '{"curso": "TP555", "date": "2024-05-01"}', "collection": "normas"}
    uploaded = await service.upload("norma.txt", text.encode(), **form)
    document = await service.settled(uploaded.json()["documents"][0]["id"])
    assert (document["language"], document["collection"]) == ("pt", "normas")
    question = "luvas e óculos"
    assert await service.found(question, Filters(collections=("normas",), languages=("pt",))) == ["norma.txt"]
    assert await service.found(question, Filters(metadata={"curso": ("TP555",)})) == ["norma.txt"]
    assert await service.found(question, Filters(date_from=date(2024, 5, 1), date_to=date(2024, 5, 1))) == ["norma.txt"]
    change = {"metadata": {"curso": "TP501"}, "collection": "arquivo"}
    patched = (await service.http.patch(f"/documents/{document['id']}", json=change)).json()
    assert (patched["metadata"], patched["version"], patched["status"]) == ({"curso": "TP501"}, 1, "ready")
    await service.settled(document["id"])
    assert await service.found(question, Filters(metadata={"curso": ("TP555",)})) == []
    assert await service.found(question, Filters(metadata={"curso": ("TP501",)}, collections=("arquivo",)))
    assert CHUNKS_STORED._value.get() == stored + document["chunks"]


async def test_the_same_bytes_with_other_labels_are_relabelled(service: Service):
    first = await service.add("aviso.txt", b"O portao fecha cedo.")
    again = await service.upload("aviso.txt", b"O portao fecha cedo.", collection="avisos")
    assert again.json()["documents"][0]["duplicate"] is True
    document = await service.settled(first["id"])
    assert (document["collection"], document["version"]) == ("avisos", 1)
    assert await service.found("portão", Filters(collections=("avisos",))) == ["aviso.txt"]


async def test_documents_are_listed_by_collection_language_and_metadata(service: Service):
    long = "Este texto fala da bancada de medidas do laboratório e de como ela deve ser usada todos os dias."
    labels = {"curso": ["TP555", "TP501"], "ano": 2024, "ok": True, 'em "uso"': "sim", "k.d": 2.5}
    await service.upload("a.txt", long.encode(), collection="normas", metadata=json.dumps(labels))
    await service.upload("b.txt", b"Another text, about the bench of the laboratory and how people should use it.")
    for item in (await service.documents()).values():
        await service.settled(item["id"])
    assert set(await service.documents(collection="normas")) == {"a.txt"}
    assert set(await service.documents(language="en")) == {"b.txt"}
    for label in ("curso=TP555", "curso=TP501", "ano=2024", "ok=true", 'em "uso"=sim', "k.d=2.5"):
        assert set(await service.documents(metadata=label)) == {"a.txt"}, label
    assert set(await service.documents(metadata="ano=2025")) == set()
    assert set(await service.documents(name="B.T")) == {"b.txt"}
    wrong = await service.http.get("/documents", params={"metadata": "curso"})
    assert (wrong.status_code, "key=value" in wrong.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("first", "second"), [("Guia.pdf", "GUIA.PDF"), ("ação.txt", "AÇÃO.txt"), ("ç.md", "c\u0327.md")]
)
async def test_a_name_in_other_capitals_or_another_composition_is_the_same_name(
    service: Service, first: str, second: str
):
    old = await service.add(first, b"O texto velho do guia.")
    new = await service.add(second, b"O texto novo do guia.")
    assert (new["id"], new["version"]) == (old["id"], 2)
    assert len(await service.documents()) == 1


async def test_lists_go_page_by_page_and_by_status(service: Service):
    for number in range(5):
        await service.add(f"{number}.txt", f"Texto de número {number}.".encode())
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await service.http.get("/documents", params={"limit": 2, "cursor": cursor, "status": "ready"})).json()
        assert len(page["items"]) <= 2
        seen += [item["name"] for item in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    assert seen == ["4.txt", "3.txt", "2.txt", "1.txt", "0.txt"]
    assert (await service.http.get("/documents", params={"status": "failed,quarantined"})).json()["items"] == []


async def test_job_events_end_with_the_job(service: Service):
    item = (await service.upload("longo.txt", long_text(200).encode())).json()["documents"][0]
    events = await service.http.get(f"/jobs/{item['job_id']}/events")
    assert events.headers["content-type"].startswith("text/event-stream")
    blocks = [block for block in events.text.replace("\r\n", "\n").split("\n\n") if "event:" in block]
    assert "event: end" in blocks[-1]
    last = json.loads(blocks[-1].split("data: ", 1)[1].splitlines()[0])
    assert (last["state"], last["progress"]["done"]) == ("done", last["progress"]["total"])
    assert (await service.document(item["id"]))["status"] == "ready"


async def test_a_cancelled_job_can_be_retried(tmp_path: Path):
    async with running(tmp_path, workers=0) as service:
        item = (await service.upload("espera.txt", b"Um texto que espera.")).json()["documents"][0]
        cancelled = await service.http.post(f"/jobs/{item['job_id']}/cancel")
        assert cancelled.json()["state"] == "cancelled"
        assert (await service.document(item["id"]))["status"] == "failed"
        assert (await service.http.post(f"/jobs/{item['job_id']}/cancel")).status_code == 409
        retried = await service.http.post(f"/jobs/{item['job_id']}/retry")
        assert retried.json()["state"] == "queued"
    async with running(tmp_path) as service:
        assert (await service.settled(item["id"]))["status"] == "ready"


async def test_a_running_job_can_be_cancelled_and_leaves_nothing_to_be_found(service: Service):
    item = (await service.upload("longo.txt", long_text(3000).encode())).json()["documents"][0]

    async def embedding() -> bool:
        job = (await service.http.get(f"/jobs/{item['job_id']}")).json()
        return bool(job["progress"]["stage"] == "embedding" and job["progress"]["done"])

    await until(embedding, "the job to embed")
    assert (await service.http.post(f"/jobs/{item['job_id']}/cancel")).status_code == 202
    await service.job(item["job_id"], "cancelled")
    assert (await service.document(item["id"]))["status"] == "failed"
    assert await service.found("ensaio antena sala") == []


async def test_a_document_deleted_while_it_is_read_does_not_come_back(service: Service):
    item = (await service.upload("longo.txt", long_text(2000).encode())).json()["documents"][0]

    async def embedding() -> bool:
        return bool(await service.chunks_of(item["id"]))

    await until(embedding, "the first chunks in the store")
    deletion = (await service.http.delete(f"/documents/{item['id']}")).json()
    await service.job(deletion["job_id"], "done")
    await service.job(item["job_id"], "cancelled")
    assert await service.chunks_of(item["id"]) == 0


async def test_many_uploads_at_once_of_the_same_bytes_make_one_document(service: Service):
    data = pdf(["O relógio atômico fica no subsolo."])
    responses = await asyncio.gather(*(service.upload(f"copia-{n}.pdf", data) for n in range(8)))
    documents = [response.json()["documents"][0] for response in responses]
    assert len({document["id"] for document in documents}) == 1
    assert sum(not document["duplicate"] for document in documents) == 1
    document = await service.settled(documents[0]["id"])
    assert len(document["sources"]) == 8
    assert await service.chunks_of(document["id"]) == document["chunks"]


async def test_content_is_served_so_that_a_browser_runs_nothing(service: Service):
    document = await service.add("página “1”.md", b"# Ol\xc3\xa1\n\nTexto <script>alert(1)</script> simples.")
    content = await service.http.get(f"/documents/{document['id']}/content")
    assert content.headers["x-content-type-options"] == "nosniff"
    assert content.headers["content-type"].startswith("text/plain")
    assert content.headers["content-disposition"].isascii()
    assert content.headers["content-disposition"].startswith(
        "inline; filename=\"pagina 1.md\"; filename*=UTF-8''p%C3%A1"
    )


async def test_a_title_given_while_the_document_is_read_is_kept(service: Service):
    item = (await service.upload("longo.txt", long_text(2000).encode())).json()["documents"][0]

    async def embedding() -> bool:
        return bool(await service.chunks_of(item["id"]))

    await until(embedding, "the first chunks in the store")
    await service.http.patch(f"/documents/{item['id']}", json={"title": "Título novo"})
    document = await service.settled(item["id"])
    chunks = (await service.http.get(f"/documents/{item['id']}/chunks")).json()["items"]
    assert (document["title"], {chunk["title"] for chunk in chunks}) == ("Título novo", {"Título novo"})


async def test_a_title_given_while_the_document_is_deleted_does_not_bring_it_back(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    document = await service.add("aviso.txt", "O aviso fala do portão.".encode())
    url, loop = f"/documents/{document['id']}", asyncio.get_running_loop()
    deletions: list[Future[httpx.Response]] = []
    look_up = live_document

    def deleted_meanwhile(*arguments: Any) -> Any:
        row = look_up(*arguments)
        deletions.append(asyncio.run_coroutine_threadsafe(service.http.delete(url), loop))
        wait(deletions, timeout=1)
        return row

    monkeypatch.setattr("ingest_service.documents.changes.live_document", deleted_meanwhile)
    await service.http.patch(url, json={"title": "Outro título"})
    assert (await asyncio.wrap_future(deletions[0])).status_code == 202

    async def at_rest() -> bool:
        jobs = (await service.http.get("/jobs", params={"document_id": document["id"]})).json()["items"]
        return all(job["state"] in {"done", "failed", "cancelled"} for job in jobs)

    await until(at_rest, "all jobs of the document to end")
    assert "aviso.txt" not in await service.documents()
    assert await service.chunks_of(document["id"]) == 0


async def test_files_of_the_same_name_in_different_folders_are_different_documents(service: Service):
    ids = {(await service.add(f"{place}/leia.txt", f"Isto vem de {place}.".encode()))["id"] for place in ("a", "b")}
    assert len(ids) == 2
    again = await service.add("a/leia.txt", b"Isto mudou.")
    assert (again["id"] in ids, again["name"], again["version"]) == (True, "leia.txt", 2)


async def test_a_version_that_cannot_be_read_renames_and_relabels_nothing_of_the_old_one(service: Service):
    document = await service.add("guia.md", "# Guia de antenas\n\nA antena parabólica fica no telhado.".encode())
    url = f"/documents/{document['id']}"
    await service.http.patch(url, json={"collection": "guias"})
    await service.http.put(url, files={"files": ("guia.md", b" \n ")})
    after = await service.settled(document["id"])
    assert (after["status"], after["published_version"]) == ("no_text", 1)
    assert (after["title"], after["collection"]) == ("Guia de antenas", "guias")
    chunks = (await service.http.get(f"{url}/chunks")).json()["items"]
    assert {chunk["title"] for chunk in chunks} == {"Guia de antenas"}
    assert await service.found("antena parabólica", Filters(collections=("guias",))) == ["guia.md"]


async def test_what_is_left_of_an_earlier_run_of_the_same_version_is_never_found(service: Service):
    document = await service.add("longo.txt", long_text(30).encode())
    chunks = await asyncio.to_thread(service.store.chunks, ORG, UUID(document["id"]))
    extra = chunks[0].model_copy(update={"id": uuid4(), "index": 999, "text": "Sobra esquecida."})
    await asyncio.to_thread(service.store.upsert, [EmbeddedChunk(extra, LexicalEncoder().passage(extra.text))])
    await asyncio.to_thread(service.store.publish, ORG, UUID(document["id"]), 1)
    with Session(service.engine) as session:
        row = session.get_one(DocumentRow, UUID(document["id"]))
        row.status = "queued"
        session.add(row)
        add_job(session, row, JobKind.INGEST, 0)
        session.commit()
    after = await service.settled(document["id"])
    assert await service.chunks_of(document["id"]) == after["chunks"] == len(chunks)
    assert await service.found("sobra esquecida") == []


async def test_bytes_without_text_sent_for_two_documents_cost_neither(service: Service):
    await service.add("a.txt", b"A girafa vive na savana.")
    await service.add("b.txt", b"O pinguim vive no gelo.")
    for name in ("a.txt", "b.txt"):
        await service.add(name, b" \n \n ")
    assert set(await service.documents()) == {"a.txt", "b.txt"}
    assert await service.found("pinguim gelo") == ["b.txt"]
    assert await service.found("girafa savana") == ["a.txt"]


async def test_a_new_version_may_bring_its_labels_along(service: Service):
    document = await service.add("norma.txt", b"A norma velha da bancada de medidas.")
    files, data = {"files": ("norma.txt", b"A norma nova da bancada de medidas.")}, {"collection": "normas"}
    await service.http.put(f"/documents/{document['id']}", files=files, data={**data, "metadata": '{"ano": 2026}'})
    after = await service.settled(document["id"])
    assert (after["version"], after["collection"], after["metadata"]) == (2, "normas", {"ano": 2026})
    assert await service.found("norma nova", Filters(collections=("normas",))) == ["norma.txt"]
