"""Documents from addresses: fetched, cleaned, recognised when they are the same, and asked for again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.integration.ingest.documents import pdf
from tests.integration.ingest.service import Service, running, until
from tests.integration.ingest.web_site import Page, Site, web_site

LOOPBACK: dict[str, Any] = {"url_allowed_hosts": ["127.0.0.0/8"]}
PARAGRAPH = (
    "O laboratório mede antenas desde 2019 e recebe visitas às quintas-feiras de manhã, mediante inscrição feita na "
    "secretaria com uma semana de antecedência, porque a câmara comporta poucas pessoas."
)


def article(sentence: str, *, title: str = "Laboratório 5G", nonce: str = "a1", head: str = "") -> str:
    """A page with what a reader comes for, and with what surrounds it."""
    return (
        f"<!doctype html><html lang='pt'><head><title>{title}</title>{head}<script nonce='{nonce}'>var n='{nonce}'"
        f"</script></head><body><nav><a href='/'>Início</a> <a href='/x'>Cursos</a></nav>"
        f"<div class='ad' id='{nonce}'>Compre o anúncio {nonce} já!</div><main><article><h1>{title}</h1>"
        f"<p>{PARAGRAPH}</p><h2>Equipamento</h2><p>{sentence} {PARAGRAPH}</p>"
        "<ul><li>Antena de corneta</li><li>Antena log-periódica</li></ul><table><tr><th>Faixa</th><th>Uso</th></tr>"
        "<tr><td>3,5 GHz</td><td>Ensaios externos</td></tr></table></article></main>"
        f"<footer>Sessão {nonce}. Todos os direitos reservados.</footer></body></html>"
    )


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncIterator[Site]:
    async with web_site() as site:
        yield site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One for all tests, because its reading processes take their time to start: no two tests use the same words."""
    async with running(tmp_path_factory.mktemp("web"), **LOOPBACK) as service:
        yield service


async def sent(service: Service, url: str, **more: Any) -> httpx.Response:
    return await service.http.post("/documents", json={"url": url, **more})


async def taken(service: Service, url: str, **more: Any) -> dict[str, Any]:
    """The document behind an address, once it is settled."""
    response = await sent(service, url, **more)
    assert response.is_success, response.text
    return await service.settled(response.json()["documents"][0]["id"])


async def test_a_page_is_found_by_its_content_and_not_by_its_menu(service: Service, site: Site):
    url = site.page("/lab/5g", article("A câmara anecoica tem paredes azuis."))
    response = await sent(service, url)
    assert response.status_code == 202
    item = response.json()["documents"][0]
    assert response.headers["location"] == f"/jobs/{item['job_id']}"
    document = await service.settled(item["id"])
    assert (document["status"], document["title"], document["name"]) == ("ready", "Laboratório 5G", "5g.html")
    assert document["sources"] == [{"kind": "web", "key": url}]
    assert "5g.html" in await service.found("paredes azuis da câmara anecoica")
    chunks = (await service.http.get(f"/documents/{item['id']}/chunks")).json()["items"]
    text = "\n".join(chunk["text"] for chunk in chunks)
    assert "Antena log-periódica" in text
    assert "3,5 GHz" in text
    assert any(chunk["heading_path"][-1:] == ["Equipamento"] for chunk in chunks)
    assert "anúncio" not in text
    assert "Todos os direitos" not in text


async def test_a_pdf_is_kept_as_it_is(service: Service, site: Site):
    data = pdf(["O relatório do transmissor.", "A segunda página fala do filtro."])
    document = await taken(service, site.page("/docs/relat%C3%B3rio.pdf", data, content_type="application/pdf"))
    assert (document["name"], document["media_type"], document["pages"]) == ("relatório.pdf", "application/pdf", 2)
    content = await service.http.get(f"/documents/{document['id']}/content")
    assert content.content == data


async def test_the_title_that_is_given_wins(service: Service, site: Site):
    url = site.page("/titulo", article("O título foi escolhido."))
    document = await taken(service, url, title="Página do laboratório", metadata={"curso": "TP555"})
    assert (document["title"], document["metadata"]) == ("Página do laboratório", {"curso": "TP555"})


async def test_only_new_surroundings_are_no_new_version(service: Service, site: Site):
    url = site.page("/anuncio", article("O anúncio muda a cada visita.", nonce="a1"))
    first = await taken(service, url)
    site.page("/anuncio", article("O anúncio muda a cada visita.", nonce="b2"))
    again = await sent(service, url)
    assert again.status_code == 200
    assert again.json()["documents"][0]["duplicate"] is True
    assert (await service.document(first["id"]))["version"] == 1


async def test_new_content_is_the_next_version_of_the_same_document(service: Service, site: Site):
    url = site.page("/versao", article("A torre é vermelha."))
    first = await taken(service, url)
    site.page("/versao", article("O mastro foi pintado de amarelo."))
    second = await taken(service, url)
    assert (second["id"], second["version"]) == (first["id"], 2)
    assert await service.found("torre vermelha") == []


async def test_a_server_that_knows_its_versions_sends_nothing_twice(service: Service, site: Site):
    url = site.page("/etag", article("O servidor conhece a versão."), etag='"v1"')
    first = await taken(service, url)
    again = await sent(service, url)
    assert (again.status_code, again.json()["documents"][0]["id"]) == (200, first["id"])
    assert site.asked[-1][1]["if-none-match"] == '"v1"'
    dated = site.page("/data", article("O servidor conhece a data."), last_modified="Sat, 01 Aug 2026 10:00:00 GMT")
    await taken(service, dated)
    assert (await sent(service, dated)).status_code == 200
    assert site.asked[-1][1]["if-modified-since"] == "Sat, 01 Aug 2026 10:00:00 GMT"


async def test_a_deleted_page_comes_back_when_it_is_sent_again(service: Service, site: Site):
    url = site.page("/volta", article("A página voltou."), etag='"v1"')
    first = await taken(service, url)
    await service.http.delete(f"/documents/{first['id']}")
    second = await taken(service, url)
    assert second["id"] != first["id"]
    assert second["status"] == "ready"


async def test_one_page_under_many_addresses_is_one_document(service: Service, site: Site):
    canonical = f"<link rel='canonical' href='{site.url('/artigo')}?utm_medium=x#topo'>"
    site.page("/artigo", article("Um artigo com muitos endereços.", head=canonical))
    site.page("/artigo/imprimir", article("Um artigo com muitos endereços.", head=canonical))
    site.redirect("/velho", "/artigo")
    ids = set()
    for path in ("/artigo?utm_source=boletim&gclid=9", "/artigo#secao", "/artigo/imprimir", "/velho"):
        ids.add((await taken(service, site.url(path)))["id"])
    assert len(ids) == 1
    document = await service.document(ids.pop())
    assert [source["key"] for source in document["sources"]] == [site.url("/artigo")]


async def test_a_page_cannot_call_itself_another_hosts_or_the_start_page(service: Service, site: Site):
    for path, link in (("/a", "https://example.org/rico"), ("/b", "/"), ("/c", "http://[")):
        url = site.page(path, article(f"A frase de {path}.", head=f"<link rel='canonical' href='{link}'>"))
        document = await taken(service, url)
        assert [source["key"] for source in document["sources"]] == [url]


async def test_a_page_of_few_words_is_kept_whole(service: Service, site: Site):
    url = site.page(
        "/contato",
        "<html><head><title>Contato</title></head><body><div><span>Telefone</span><span> 3471-9200</span></div>"
        "<div>Sala doze, bloco de ensaios</div></body></html>",
    )
    document = await taken(service, url)
    assert document["status"] == "ready"
    assert (await service.found("sala doze bloco de ensaios"))[0] == "contato.html"


@pytest.mark.parametrize("declared", ["header", "page"])
async def test_accents_survive_old_encodings(service: Service, site: Site, declared: str):
    head = "<meta charset='iso-8859-1'>" if declared == "page" else ""
    kind = "text/html; charset=ISO-8859-1" if declared == "header" else "text/html"
    data = article("A produção de ações começou amanhã.", head=head).encode("cp1252")
    document = await taken(service, site.page("/antiga", data, content_type=kind))
    chunks = (await service.http.get(f"/documents/{document['id']}/chunks")).json()["items"]
    assert any("A produção de ações começou amanhã." in chunk["text"] for chunk in chunks)


async def test_a_page_without_a_word_is_refused_with_the_reason(service: Service, site: Site):
    url = site.page("/app", "<html><head><title>App</title></head><body><script>draw()</script></body></html>")
    response = await sent(service, url)
    assert response.status_code == 422
    assert "not a word" in response.json()["detail"]


async def test_entities_of_a_page_reach_no_file(service: Service, site: Site):
    evil = (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">'
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        f"<html><head><title>Nota</title></head><body><p>{PARAGRAPH}</p><p>Antes &x; &b; depois.</p></body></html>"
    )
    document = await taken(service, site.page("/x", evil))
    content = (await service.http.get(f"/documents/{document['id']}/content")).text
    assert "root:" not in content
    assert "aaaaaaaaaaaaaaaaaaaa" not in content
    assert "secretaria" in content


async def test_a_huge_title_is_cut(service: Service, site: Site):
    document = await taken(service, site.page("/", article("O título é enorme.", title="Título " * 5000)))
    assert len(document["title"]) <= 300
    assert len(document["name"].encode()) <= 255
    assert document["name"].startswith("Título Título")


async def test_what_nobody_can_read_is_refused_by_its_content(service: Service, site: Site):
    response = await sent(service, site.page("/a.pdf", b"MZ\x90\x00\x03\x00", content_type="application/pdf"))
    assert response.status_code == 415


async def test_an_address_is_refused_at_the_door_with_the_reason(service: Service):
    for url, words in (("ftp://example.org/a", "http"), ("http://u:p@example.org/", "password"), ("nada", "https://")):
        response = await sent(service, url)
        assert response.status_code == 422
        assert response.json()["code"] == "address_refused"
        assert words in response.json()["detail"]


async def test_loopback_is_refused_unless_an_operator_allows_it(tmp_path: Path, site: Site):
    url, asked = site.page("/a", article("Segredo interno.")), len(site.asked)
    async with running(tmp_path) as service:
        response = await sent(service, url)
        assert (response.status_code, response.json()["code"]) == (422, "address_refused")
        assert "INGEST__URL_ALLOWED_HOSTS" in response.json()["detail"]
        closed = await sent(service, "http://127.0.0.1:1/a")
        assert closed.json()["detail"].replace("127.0.0.1:1", "") == response.json()["detail"].replace(
            f"127.0.0.1:{site.port}", ""
        )
    assert len(site.asked) == asked


@pytest.mark.parametrize("body", [{"url": 5}, {"url": ""}, {"url": "http://a/", "text": "b"}, {"url": "x" * 3000}])
async def test_a_malformed_request_is_named(service: Service, body: dict[str, Any]):
    response = await service.http.post("/documents", json=body)
    assert response.status_code == 422


async def test_a_new_version_cannot_be_an_address(service: Service, site: Site):
    document = await service.add("a.txt", b"Um texto enviado.")
    response = await service.http.put(f"/documents/{document['id']}", json={"url": site.url("/a")})
    assert response.status_code == 422


async def refreshed(service: Service) -> dict[str, Any]:
    started = await service.http.post("/sources/web/refresh")
    assert started.status_code == 202

    async def ended() -> dict[str, Any] | None:
        report: dict[str, Any] = (await service.http.get("/sources/web/refresh")).json()
        return None if report["state"] == "running" else report

    return await until(ended, "the refresh to end")


async def test_a_refresh_says_what_became_of_each_page(tmp_path: Path, site: Site):
    async with running(tmp_path, **LOOPBACK) as service:
        assert (await service.http.get("/sources/web/refresh")).status_code == 404
        kept = await taken(service, site.page("/igual", article("Não muda."), etag='"1"'))
        changed = await taken(service, site.page("/muda", article("Era assim.")), title="O título dado")
        gone = await taken(service, site.page("/some", article("Some daqui.")))
        broken = await taken(service, site.page("/cai", article("Vai cair.")))
        site.page("/muda", article("Agora é de outro jeito."))
        del site.pages["/some"]
        site.pages["/cai"] = Page(status=500)
        report = await refreshed(service)
        assert (report["state"], report["total"]) == ("done", 4)
        assert (report["unchanged"], report["updated"], report["failed"]) == (1, 1, 2)
        reasons = {failure["document_id"]: failure["reason"] for failure in report["failures"]}
        assert "404" in reasons[gone["id"]]
        assert "kept" in reasons[gone["id"]]
        assert "500" in reasons[broken["id"]]
        after = await service.settled(changed["id"])
        assert (after["version"], after["title"]) == (2, "O título dado")
        assert (await service.document(gone["id"]))["status"] == "ready"
        assert await service.found("some daqui") == ["some.html"]
        assert (await service.document(kept["id"]))["version"] == 1


async def test_a_refresh_that_runs_is_not_started_twice_and_ends_with_the_service(tmp_path: Path, site: Site):
    async with running(tmp_path, **LOOPBACK) as service:
        await taken(service, site.page("/a", article("Uma frase.")))
        site.pages["/a"] = held_open
        first = (await service.http.post("/sources/web/refresh")).json()
        second = (await service.http.post("/sources/web/refresh")).json()
        assert second["started_at"] == first["started_at"]
    async with running(tmp_path, **LOOPBACK) as service:
        assert [document["status"] for document in (await service.documents()).values()] == ["ready"]


async def held_open(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def test_an_address_sent_again_after_a_version_was_sent_by_hand_is_fetched(service: Service, site: Site):
    url = site.page("/emenda.txt", b"O texto do servidor sobre emendas.", etag='"1"')
    document = await taken(service, url)
    path = f"/documents/{document['id']}"
    assert (await service.http.put(path, files={"files": ("emenda.txt", b"Emendado a mao.")})).status_code == 202
    await service.settled(document["id"])
    again = await taken(service, url)
    # What was sent by hand is vouched for by its sender, so the server's text is a document of its own.
    assert (again["id"] != document["id"], again["status"]) == (True, "ready")
    assert (
        await service.http.get(f"/documents/{again['id']}/content")
    ).content == b"O texto do servidor sobre emendas."
    assert (await service.http.get(f"{path}/content")).content == b"Emendado a mao."


async def test_a_page_that_is_deleted_while_it_is_refreshed_does_not_come_back(tmp_path: Path, site: Site):
    asked, goes_on = asyncio.Event(), asyncio.Event()

    async def slow(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await goes_on.wait()
        body = b"O texto novo da pagina apagada."
        writer.write(b"HTTP/1.1 200 x\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()

    async with running(tmp_path, **LOOPBACK) as service:
        document = await taken(service, site.page("/apagada.txt", b"O texto velho da pagina apagada."))
        site.pages["/apagada.txt"] = slow
        refresh = asyncio.create_task(refreshed(service))
        await asked.wait()
        assert (await service.http.delete(f"/documents/{document['id']}")).status_code == 202
        goes_on.set()
        report = await refresh
        assert (report["updated"], report["failed"]) == (0, 1)
        assert "deleted" in report["failures"][0]["reason"]
        assert await service.documents() == {}


async def test_a_page_that_moved_to_another_known_page_takes_its_text(tmp_path: Path, site: Site):
    async with running(tmp_path, **LOOPBACK) as service:
        old = site.page("/velha.txt", b"O horario velho do laboratorio.")
        new = site.page("/nova.txt", b"O horario novo do laboratorio.", etag='"n"')
        await taken(service, old)
        kept = await taken(service, new)
        site.redirect("/velha.txt", "/nova.txt")
        report = await refreshed(service)
        assert (report["unchanged"], report["updated"], report["failed"]) == (1, 1, 0)
        await service.gone("velha.txt")
        assert [source["key"] for source in (await service.settled(kept["id"]))["sources"]] == [new, old]
        assert (await refreshed(service))["unchanged"] == 2


@pytest.mark.parametrize("etag", ['"versão"', '"' + "x" * 600 + '"', '"a\tb"'])
async def test_whatever_a_server_calls_its_version_the_page_is_fetched_again(service: Service, site: Site, etag: str):
    text = f"Uma pagina de versao {len(etag)}."
    document = await taken(service, site.page(f"/versao-{len(etag)}.txt", text.encode(), etag=etag))
    again = await sent(service, site.url(f"/versao-{len(etag)}.txt"))
    assert (again.status_code, again.json()["documents"][0]["id"]) == (200, document["id"])
