"""Servers that lie, stall, flood and point elsewhere: each fetch ends with its reason and reaches nothing inside."""

import asyncio
import gzip
import shutil
import ssl
import subprocess
import zlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest

from ingest_service.web.address import parse_address
from ingest_service.web.errors import AddressRefused, FetchFailed, PageGone
from ingest_service.web.fetch import AT_ONCE, Fetched, Fetcher, Validators
from ingest_service.web.guard import AddressGuard, Resolver
from shared.errors import TooLarge, XgtwinError
from tests.integration.ingest.service import until
from tests.integration.ingest.web_site import Site, web_site

MIB = 1 << 20


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with web_site() as site:
        yield site


def fetcher(
    *allowed: str,
    names: dict[str, list[str]] | None = None,
    timeout_s: float = 5,
    tls: ssl.SSLContext | None = None,
) -> Fetcher:
    guard = AddressGuard(allowed or ["127.0.0.1"], answers(names) if names else None)
    return Fetcher(guard, max_mb=1, timeout_s=timeout_s, tls=tls)


def answers(names: dict[str, list[str]]) -> Resolver:
    """Each name's answers one after the other (several addresses in one, separated by spaces); the last one stays."""

    async def resolve(host: str, _: int) -> Sequence[str]:
        left = names.get(host, [host])
        return (left.pop(0) if len(left) > 1 else left[0]).split()

    return resolve


async def nothing_known(_: httpx.URL) -> Validators | None:
    return None


async def fetched(url: str, by: Fetcher | None = None) -> bytes:
    async with (by or fetcher()).fetch(parse_address(url), nothing_known) as found:
        assert isinstance(found, Fetched)
        return found.body.read()


async def refused(url: str, by: Fetcher | None = None) -> XgtwinError:
    with pytest.raises(XgtwinError) as refusal:
        await fetched(url, by)
    assert 400 <= refusal.value.status < 500
    return refusal.value


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.2:8080/",
        "http://[::1]:8080/",
        "//10.0.0.1/admin",
        "http://2130706434/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "http://user:password@127.0.0.1/",
        "http://[",
        "data:text/html,ola",
        "http://" + "a" * 5000,
    ],
)
async def test_a_redirect_leads_nowhere_that_could_not_be_asked_directly(site: Site, to: str):
    assert isinstance(await refused(site.redirect("/", to)), AddressRefused | FetchFailed)
    assert len(site.asked) == 1


async def test_a_redirect_is_checked_by_its_address_not_by_its_name(site: Site):
    by = fetcher(names={"interno.example": ["127.0.0.3"]})
    assert isinstance(await refused(site.redirect("/", f"http://interno.example:{site.port}/"), by), AddressRefused)
    assert len(site.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed_five_times(site: Site, status: int):
    for hop in range(5):
        site.redirect(f"/{hop}", f"/{hop + 1}", status)
    site.page("/5", "chegou")
    assert await fetched(site.url("/0")) == b"chegou"
    site.redirect("/volta", "/0", status)
    assert "5 times" in (await refused(site.url("/volta"))).detail


async def test_a_circle_of_redirects_ends(site: Site):
    site.redirect("/a", "/b")
    site.redirect("/b", "/a")
    assert "5 times" in (await refused(site.url("/a"))).detail


async def test_the_connection_goes_to_the_address_that_was_checked(site: Site):
    """A name server that changes its answer after the check (rebinding) changes nothing."""
    site.page("/", "a página")
    names = {"muda.example": ["127.0.0.1", "169.254.169.254"]}
    assert await fetched(site.url("/", "muda.example"), fetcher(names=names)) == "a página".encode()
    assert site.asked[0][1]["host"] == f"muda.example:{site.port}"
    assert names["muda.example"] == ["169.254.169.254"]


async def test_every_hop_is_checked_anew(site: Site):
    names = {"muda.example": ["127.0.0.1", "169.254.169.254"]}
    site.redirect("/", site.url("/outra", "muda.example"))
    refusal = await refused(site.url("/", "muda.example"), fetcher(names=names))
    assert isinstance(refusal, AddressRefused)
    assert len(site.asked) == 1


async def test_one_inner_address_among_public_ones_is_enough_to_refuse(site: Site):
    names = {"dois.example": ["127.0.0.1 10.0.0.1"]}
    assert isinstance(await refused(site.url("/", "dois.example"), fetcher(names=names)), AddressRefused)
    assert site.asked == []


async def test_an_address_that_does_not_answer_is_followed_by_the_next(site: Site):
    site.page("/", "a página")
    names = {"dois.example": ["127.0.0.9 127.0.0.1"]}
    assert await fetched(site.url("/", "dois.example"), fetcher("127.0.0.0/8", names=names)) == "a página".encode()


async def test_no_proxy_of_the_environment_is_used(site: Site, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert await fetched(site.page("/", "direto")) == b"direto"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and its certificate for the name pagina.example alone."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed (apt install openssl)")
    both = tmp_path_factory.mktemp("tls") / "pagina.example.pem"
    new = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=pagina.example")
    name = ("-addext", "subjectAltName=DNS:pagina.example")
    subprocess.run([*new, *name, "-keyout", both, "-out", both.with_suffix(".crt")], check=True, capture_output=True)
    both.write_bytes(both.read_bytes() + both.with_suffix(".crt").read_bytes())
    return both


@pytest.fixture
def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


@pytest.fixture
async def secure_site(certificate: Path) -> AsyncIterator[Site]:
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(certificate)
    async with web_site(own) as site:
        yield site


async def test_a_certificate_is_checked_by_name_although_the_address_is_pinned(
    secure_site: Site, trusting: ssl.SSLContext
):
    secure_site.page("/", "segura")
    names = {"pagina.example": ["127.0.0.1"], "outra.example": ["127.0.0.1"]}
    by = fetcher(names=names, tls=trusting)
    assert await fetched(secure_site.url("/", "pagina.example"), by) == b"segura"
    for host in ("outra.example", "127.0.0.1"):
        assert "secure" in (await refused(secure_site.url("/", host), by)).detail
    assert len(secure_site.asked) == 1


async def test_a_certificate_of_nobody_known_is_refused(secure_site: Site):
    by = fetcher(names={"pagina.example": ["127.0.0.1"]})
    assert "secure" in (await refused(secure_site.url("/", "pagina.example"), by)).detail


async def test_a_gzip_bomb_is_noticed_while_it_unpacks(site: Site):
    bomb = gzip.compress(bytes(300 * MIB))
    assert len(bomb) < MIB
    url = site.page("/", bomb, content_encoding="gzip")
    assert isinstance(await refused(url), TooLarge)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip, gzip", gzip.compress(gzip.compress(b"a" * MIB))),
        ("br", b"\x8b\x02\x80abc\x03"),
        ("zstd", b"(\xb5/\xfd"),
        ("deflate", zlib.compress(b"a")),
        ("gzip", b"no gzip at all"),
        ("gzip", gzip.compress(b"a" * 1000)[:-9]),
        ("gzip", b""),
        ("x" * 500, b"a"),
    ],
)
async def test_an_encoding_that_was_not_asked_for_or_is_broken_is_refused(site: Site, encoding: str, body: bytes):
    url = site.page("/", body, content_encoding=encoding)
    if not body:
        assert await fetched(url) == b""
        return
    assert isinstance(await refused(url), FetchFailed)


@pytest.mark.parametrize("parts", [1, 3])
async def test_a_packed_page_arrives_whole(site: Site, parts: int):
    text = "Uma página comprida. ".encode() * 20_000
    packed = b"".join(gzip.compress(text[start::parts]) for start in range(parts))
    url = site.page("/", packed, content_encoding="gzip")
    assert await fetched(url) == b"".join(text[start::parts] for start in range(parts))


async def test_a_page_that_was_cut_off_is_not_taken_for_whole(site: Site):
    url = site.page("/", "metade", content_length="1000000")
    assert isinstance(await refused(url), FetchFailed)


async def test_a_page_over_the_limit_is_refused_naming_the_setting(site: Site):
    assert "INGEST__MAX_FILE_MB" in (await refused(site.page("/", b"a" * (MIB + 1)))).detail
    assert len(await fetched(site.page("/", b"a" * MIB))) == MIB


async def endless_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"a" * 0x10000 + b"\r\n")
        await writer.drain()


async def trickling_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.05)


async def trickling_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x-a: b\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def silence(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def endless_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x-a: " + b"b" * 65536 + b"\r\n")
        await writer.drain()


async def no_http(writer: asyncio.StreamWriter) -> None:
    writer.write(b"-ERR unknown command 'GET'\r\n" * 10)


async def hang_up(_: asyncio.StreamWriter) -> None:
    return


async def two_lengths(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 50\r\n\r\nolaola")


async def test_a_body_without_end_is_refused_at_the_limit(site: Site):
    site.pages["/"] = endless_body
    assert isinstance(await refused(site.url("/")), TooLarge)


@pytest.mark.parametrize("handler", [trickling_body, trickling_headers, silence])
async def test_a_server_that_takes_its_time_is_given_up_naming_the_setting(site: Site, handler):
    site.pages["/"] = handler
    refusal = await refused(site.url("/"), fetcher(timeout_s=0.5))
    assert refusal.code == "fetch_timeout"
    assert "INGEST__URL_TIMEOUT_S" in refusal.detail


@pytest.mark.parametrize("handler", [endless_headers, no_http, hang_up, two_lengths])
async def test_a_server_that_speaks_no_http_is_an_error_with_its_reason(site: Site, handler):
    site.pages["/"] = handler
    assert isinstance(await refused(site.url("/")), FetchFailed)


async def test_a_server_that_is_not_there_is_an_error_with_its_reason():
    assert "does not answer" in (await refused("http://127.0.0.1:1/")).detail


@pytest.mark.parametrize("status", [404, 410])
async def test_a_page_that_is_gone_is_told_from_one_that_fails(site: Site, status: int):
    assert isinstance(await refused(site.page("/", "", status)), PageGone)


@pytest.mark.parametrize("status", [201, 204, 206, 300, 304, 401, 403, 429, 500, 503, 599])
async def test_what_is_no_document_is_refused_with_the_servers_status(site: Site, status: int):
    refusal = await refused(site.page("/", "" if status in {204, 304} else "texto", status))
    assert not isinstance(refusal, PageGone)
    assert str(status) in refusal.detail


async def test_slow_servers_hold_up_no_more_than_their_places(site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ingest_service.web.fetch.WAIT_FOR_PLACE_S", 0.2)
    site.pages["/preso"] = silence
    by = fetcher()
    held = [asyncio.create_task(fetched(site.url("/preso"), by)) for _ in range(AT_ONCE)]

    async def all_places_taken() -> bool:
        return len(site.asked) == AT_ONCE

    await until(all_places_taken, "all places to be taken")
    with pytest.raises(XgtwinError) as refusal:
        await fetched(site.page("/", "texto"), by)
    assert (refusal.value.status, bool(refusal.value.retry_after)) == (503, True)
    for task in held:
        task.cancel()
    await asyncio.gather(*held, return_exceptions=True)
    assert await fetched(site.url("/"), by) == b"texto"


async def test_the_product_names_itself_and_tells_nothing_of_its_user(site: Site):
    await fetched(site.page("/", "texto"))
    headers = site.asked[0][1]
    assert headers["user-agent"].startswith("xgtwin/")
    assert not {"cookie", "authorization", "referer", "x-api-key"} & set(headers)


async def test_validators_are_sent_only_where_they_came_from(site: Site):
    site.redirect("/velho", "/novo")
    site.page("/novo", "texto", etag='"1"')

    async def known(url: httpx.URL) -> Validators | None:
        return Validators(etag='"velho"') if url.path == "/velho" else None

    async with fetcher().fetch(parse_address(site.url("/velho")), known) as found:
        assert isinstance(found, Fetched)
        assert found.validators == Validators(etag='"1"')
    assert [headers.get("if-none-match") for _, headers in site.asked] == ['"velho"', None]
