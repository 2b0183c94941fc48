"""Addresses as text: parsed once, by the library that also connects, and written in one way.

Guard, key and connection all see the same parsed address, so that no second parser can read it differently.
"""

import re
from urllib.parse import unquote

import httpx

from ingest_service.names import clean_name
from ingest_service.web.errors import AddressRefused

MAX_CHARS = 2048
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}")
_TRACKING = re.compile(r"(?:utm_\w*|gclid|fbclid)(?:=|$)", re.IGNORECASE)


def parse_address(text: str) -> httpx.URL:
    """The address in its one spelling: host in small letters without a last dot, no default port, no fragment, none of
    the parameters that only say where a visitor came from. Raises `AddressRefused`."""
    text = text.strip()
    if len(text) > MAX_CHARS:
        raise AddressRefused(f"The address is longer than {MAX_CHARS} characters.")
    try:
        url = httpx.URL(text)
        host = url.raw_host.decode("ascii").lower().removesuffix(".")
    except (httpx.InvalidURL, ValueError) as error:
        raise AddressRefused(
            f"{text} is not an address that can be fetched. Give one like https://host/page."
        ) from error
    if url.scheme not in _DEFAULT_PORTS:
        raise AddressRefused(f"{text} is not fetched: only http:// and https:// addresses are.")
    if url.userinfo:
        raise AddressRefused("The address holds a user name or password. Give it without; such pages are not fetched.")
    if not _HOST.fullmatch(host) or not 0 < port_of(url) < 65536:
        raise AddressRefused(f"{text} is not an address that can be fetched. Give one like https://host/page.")
    port = None if port_of(url) == _DEFAULT_PORTS[url.scheme] else url.port
    return url.copy_with(host=host, port=port, raw_path=_raw_path(url), fragment=None)


def port_of(url: httpx.URL) -> int:
    """The port that is meant, named or not."""
    return _DEFAULT_PORTS[url.scheme] if url.port is None else url.port


def canonical_address(page: httpx.URL, link: str) -> httpx.URL:
    """What a page calls itself (`<link rel=canonical>`), if that is on the same host; else its own address.

    A start page is not believed to be every page: sites that say so by mistake would collapse into one document.
    """
    try:
        named = parse_address(str(page.join(link.strip()))) if link.strip() else page
    except (AddressRefused, httpx.InvalidURL, ValueError):
        return page
    if named.host != page.host or (named.raw_path == b"/" and page.raw_path != b"/"):
        return page
    return page.copy_with(raw_path=named.raw_path)


def name_of(address: str) -> str:
    """What people see: the last part of the path, or the host."""
    url = httpx.URL(address)
    return clean_name(unquote(url.path).rstrip("/"), fallback=clean_name(url.host))


def _raw_path(url: httpx.URL) -> bytes:
    path, _, query = url.raw_path.partition(b"?")
    kept = [part for part in query.split(b"&") if part and not _TRACKING.match(part.decode("ascii"))]
    return path + (b"?" + b"&".join(kept) if kept else b"")
