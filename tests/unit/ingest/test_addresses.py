"""Addresses: one spelling of each, and only those that anybody could ask."""

import socket
from collections.abc import Sequence
from ipaddress import ip_address

import httpx
import pytest

from ingest_service.web.address import canonical_address, name_of, parse_address
from ingest_service.web.errors import AddressRefused
from ingest_service.web.guard import AddressGuard, Resolver, is_public
from shared.errors import Unprocessable

NOT_PUBLIC = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "2001:0:808:808::1",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]

HOSTILE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1%25eth0]/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.43518/",
    "http://0xa9fea9fe/",
    "http://192.168.0.1/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://localhost:8001/documents",
    "https://localhost:8443/",
    "http://127。0。0。1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://%31%32%37.0.0.1/",
    "http://interno.example/",
    "http://dois-enderecos.example/",
    "http://sem-endereco.example/",
    "http://publico.example:22/",
    "http://publico.example:6379/",
    "http://publico.example:0/",
    "http://publico.example:65536/",
    "http://user@publico.example/",
    "http://user:password@publico.example/",
    "http://publico.example@127.0.0.1/",
    "http://publico.example\\@127.0.0.1/",
    "http://publico.example#@127.0.0.1:22/",
    "http://127.0.0.1:80\\publico.example/",
    "http://publico.example\r\nHost: interno.example/",
    "http://publico exemplo/",
    "http:///etc/passwd",
    "http:publico.example",
    "//publico.example/",
    "publico.example/pagina",
    "file:///etc/passwd",
    "file://publico.example/etc/passwd",
    "ftp://publico.example/",
    "gopher://publico.example:70/_x",
    "dict://publico.example:2628/",
    "ldap://publico.example/",
    "jar:http://publico.example!/",
    "data:text/html,ola",
    "javascript:alert(1)",
    "unix:///var/run/docker.sock",
    "http://",
    "http://.",
    "http://..",
    "http://[",
    "http://[::1",
    "",
    "http://" + "a" * 64 + ".example/" + "b" * 3000,
    "http://" + "rótulo-longo" * 30 + ".example/",
]
NAMES = {
    "publico.example": ["93.184.215.14", "2606:4700::1111"],
    "interno.example": ["10.1.2.3"],
    "dois-enderecos.example": ["93.184.215.14", "127.0.0.1"],
    "sem-endereco.example": [],
}


def resolver(names: dict[str, list[str]]) -> Resolver:
    """These names, and numbers in all the spellings that the C library reads."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        if host in names:
            return names[host]
        if host == "localhost":
            return ["127.0.0.1", "::1"]
        found = socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST) if ":" in host else None
        return [str(entry[4][0]) for entry in found] if found else [socket.inet_ntoa(socket.inet_aton(host))]

    return resolve


async def admitted(text: str, allowed: Sequence[str] = ()) -> list[str]:
    url = parse_address(text)
    guard = AddressGuard(allowed, resolver(NAMES))
    port = url.port or (443 if url.scheme == "https" else 80)
    return [str(address) for address in await guard.addresses(url.raw_host.decode(), port)]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_not_everybody_reaches_is_not_public(address: str):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "64:ff9b::808:808", "2001:4860::1"])
def test_an_address_of_the_internet_is_public(address: str):
    assert is_public(ip_address(address))


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_hostile_address_is_refused(text: str):
    # The fragment is no part of what is asked; what is left must lead to no other host.
    if text == "http://publico.example#@127.0.0.1:22/":
        assert await admitted(text) == NAMES["publico.example"]
        return
    with pytest.raises(AddressRefused) as refusal:
        await admitted(text)
    assert refusal.value.status == 422
    assert not any(address in refusal.value.detail for address in ("10.1.2.3", "93.184"))


async def test_unknown_and_inner_names_are_told_the_same():
    details = set()
    for name in ("interno.example", "sem-endereco.example"):
        with pytest.raises(AddressRefused) as refusal:
            await admitted(f"http://{name}/")
        details.add(refusal.value.detail.replace(name, "X"))
    assert len(details) == 1


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("http://interno.example:9999/", "interno.example"),
        ("http://INTERNO.example./", "Interno.Example."),
        ("http://interno.example/", "10.1.0.0/16"),
        ("http://127.1/", "127.0.0.1"),
        ("http://[::ffff:10.1.2.3]/", "10.0.0.0/8"),
        ("http://[::1]:8080/", "::1"),
    ],
)
async def test_an_operator_allows_hosts_and_networks(text: str, allowed: str):
    assert await admitted(text, [allowed])


async def test_allowing_one_host_allows_no_other():
    with pytest.raises(AddressRefused):
        await admitted("http://interno.example.publico.example/", ["interno.example"])
    with pytest.raises(AddressRefused):
        await admitted("http://127.0.0.1/", ["localhost"])


@pytest.mark.parametrize("entry", ["10.0.0.0/99", "10.0.0.1/8", "http://wiki.lab", "*.lab", "", "wiki.lab:8080"])
def test_a_wrong_entry_of_the_allowed_hosts_is_named(entry: str):
    with pytest.raises(Unprocessable, match="INGEST__URL_ALLOWED_HOSTS"):
        AddressGuard([entry])


@pytest.mark.parametrize(
    ("text", "one_spelling"),
    [
        ("HTTP://Example.ORG:80", "http://example.org/"),
        (" https://example.org.:443/a/../b/./c?x=1#y ", "https://example.org/b/c?x=1"),
        ("http://example.org/?utm_source=a&b=2&UTM_Medium=c&fbclid=1&gclid", "http://example.org/?b=2"),
        ("http://example.org/a?utm_campaign=x", "http://example.org/a"),
        ("http://example.org/a?utmost=1&q=gclid", "http://example.org/a?utmost=1&q=gclid"),
        ("https://café.example/ação?q=é", "https://xn--caf-dma.example/a%C3%A7%C3%A3o?q=%C3%A9"),
        ("http://example.org:8080/a", "http://example.org:8080/a"),
    ],
)
def test_an_address_has_one_spelling(text: str, one_spelling: str):
    assert str(parse_address(text)) == one_spelling
    assert str(parse_address(one_spelling)) == one_spelling


@pytest.mark.parametrize(
    ("link", "believed"),
    [
        ("/artigo", "https://example.org/artigo"),
        ("http://example.org/artigo?utm_source=x", "https://example.org/artigo"),
        ("https://other.example/artigo", "https://example.org/a?p=2"),
        ("https://example.org.evil.example/", "https://example.org/a?p=2"),
        ("https://example.org/", "https://example.org/a?p=2"),
        ("javascript:x", "https://example.org/a?p=2"),
        ("http://[", "https://example.org/a?p=2"),
        ("", "https://example.org/a?p=2"),
    ],
)
def test_a_page_is_believed_about_its_own_host_only(link: str, believed: str):
    assert str(canonical_address(httpx.URL("https://example.org/a?p=2"), link)) == believed


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://example.org/docs/relat%C3%B3rio.pdf?x=1", "relatório.pdf"),
        ("https://example.org/docs/", "docs"),
        ("https://example.org/", "example.org"),
        ("https://example.org/%2e%2e/%2Fetc%2Fpasswd", "passwd"),
    ],
)
def test_a_document_is_called_by_the_end_of_its_address(address: str, name: str):
    assert name_of(address) == name
