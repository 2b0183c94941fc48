"""One document from an address, under limits of time, size and hops, with the guard before every connection."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, TypeGuard, cast

import httpx

from ingest_service.web.address import parse_address
from ingest_service.web.errors import FetchFailed, PageGone
from ingest_service.web.guard import AddressGuard
from ingest_service.web.inflating import ACCEPTED, inflated
from ingest_service.web.transport import ATTEMPTS, PinnedTransport
from shared.errors import TooLarge, Unavailable
from shared.version import VERSION

MAX_REDIRECTS = 5
AT_ONCE = 4
"""Fetches that run at the same time; the others wait for a place, and not for long."""
WAIT_FOR_PLACE_S = 10
IN_MEMORY_BYTES = 1 << 20
LONGEST_VALIDATOR = 512
_GONE = frozenset({404, 410})
_HEADERS = {
    "User-Agent": f"xgtwin/{VERSION} (fetches single pages on request)",
    "Accept": "text/html, application/pdf, */*;q=0.5",
    "Accept-Language": "pt-BR, pt, en;q=0.5",
    "Accept-Encoding": ACCEPTED,
}


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server called the version that it sent, for asking whether there is another."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document that arrived completely. `body` stands at its start and closes with the fetch."""

    url: httpx.URL
    body: BinaryIO
    content_type: str
    validators: Validators


@dataclass(frozen=True, slots=True)
class NotModified:
    """The server says that what it sent before, under this address, is still what there is."""

    url: httpx.URL


Known = Callable[[httpx.URL], Awaitable[Validators | None]]


class Fetcher:
    """Fetches documents for one event loop. Waiting costs no thread."""

    def __init__(
        self, guard: AddressGuard, *, max_mb: int, timeout_s: float, tls: ssl.SSLContext | None = None
    ) -> None:
        self._guard = guard
        self._max_mb = max_mb
        self._timeout_s = timeout_s
        self._tls = tls or _trusted()
        self._places = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def fetch(self, url: httpx.URL, known: Known) -> AsyncIterator[Fetched | NotModified]:
        """The document behind an address that `parse_address` gave; `known` tells what is kept of an address.

        Raises `AddressRefused`, `FetchFailed`, `PageGone`, `TooLarge`, and `Unavailable` when too many others wait.
        """
        async with self._place():
            with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as body:
                try:
                    async with asyncio.timeout(self._timeout_s):
                        found = await self._follow(url, known, cast(BinaryIO, body))
                except TimeoutError as error:
                    raise FetchFailed(
                        f"{url.host} did not send the page within {self._timeout_s:g} s (INGEST__URL_TIMEOUT_S).",
                        code="fetch_timeout",
                    ) from error
                except (httpx.HTTPError, httpx.InvalidURL) as error:
                    raise FetchFailed(f"{url} could not be fetched: {_what_happened(error)}.") from error
                body.seek(0)
                yield found

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(WAIT_FOR_PLACE_S):
                await self._places.acquire()
        except TimeoutError as error:
            raise Unavailable("Many addresses are being fetched. Send this one again later.", retry_after=30) from error
        try:
            yield
        finally:
            self._places.release()

    async def _follow(self, url: httpx.URL, known: Known, body: BinaryIO) -> Fetched | NotModified:
        async with httpx.AsyncClient(
            transport=PinnedTransport(self._guard, self._tls),
            headers=_HEADERS,
            # So that a second address is tried when the first one is silent.
            timeout=httpx.Timeout(self._timeout_s, connect=self._timeout_s / (ATTEMPTS + 1)),
            trust_env=False,
        ) as client:
            for _ in range(MAX_REDIRECTS + 1):
                validators = await known(url)
                async with client.stream("GET", url, headers=_conditions(validators)) as response:
                    if response.has_redirect_location:
                        url = parse_address(str(response.url.join(response.headers["location"])))
                        continue
                    if response.status_code == 304 and validators is not None:
                        return NotModified(url)
                    _refuse_unless_document(response, url)
                    await self._receive(response, url, body)
                    return Fetched(url, body, response.headers.get("content-type", ""), _validators(response))
        raise FetchFailed(f"The server sends from one address to the next, more than {MAX_REDIRECTS} times.")

    async def _receive(self, response: httpx.Response, url: httpx.URL, body: BinaryIO) -> None:
        left = self._max_mb * 1024 * 1024
        async for piece in inflated(response.aiter_raw(), response.headers.get("content-encoding", "")):
            left -= len(piece)
            if left < 0:
                raise TooLarge(f"{url} is larger than the limit of {self._max_mb} MiB (INGEST__MAX_FILE_MB).")
            body.write(piece)


def _conditions(validators: Validators | None) -> dict[str, str]:
    if validators is None:
        return {}
    named = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
    return {header: value for header, value in named.items() if _sendable(value)}


def _validators(response: httpx.Response) -> Validators:
    given = (response.headers.get("etag"), response.headers.get("last-modified"))
    return Validators(*(value if _sendable(value) else None for value in given))


def _sendable(validator: str | None) -> TypeGuard[str]:
    """Servers name versions as they like; what no header may hold cannot be sent back."""
    if validator is None or not 0 < len(validator) <= LONGEST_VALIDATOR:
        return False
    return validator.isascii() and validator.isprintable()


def _refuse_unless_document(response: httpx.Response, url: httpx.URL) -> None:
    if response.status_code in _GONE:
        raise PageGone(f"There is nothing at {url}: its server answers {response.status_code}.")
    if response.status_code != 200:
        raise FetchFailed(f"{url} gave no document: its server answers {response.status_code}.")


def _what_happened(error: Exception) -> str:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return "no secure connection could be made" if "SSL" in str(error) else "its server does not answer"
    if isinstance(error, httpx.RemoteProtocolError):
        return "its server broke off, or does not speak HTTP"
    return "the connection was lost"


def _trusted() -> ssl.SSLContext:
    """The public certificate authorities, and those that this machine trusts beside them."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context
