"""Connections that go to the very address that was checked.

The name is resolved once, by the guard; the connection is made to the answer. Host header, server name indication and
the check of the certificate keep the name. A second answer of a name server changes nothing.
"""

import ssl

import httpx

from ingest_service.web.address import port_of
from ingest_service.web.guard import AddressGuard

ATTEMPTS = 3
"""Addresses of one host that are tried; more would only add up their waiting times."""


class PinnedTransport(httpx.AsyncBaseTransport):
    """The connections of one fetch. None is used twice: two names may share an address and not a certificate."""

    def __init__(self, guard: AddressGuard, tls: ssl.SSLContext) -> None:
        self._guard = guard
        self._inner = httpx.AsyncHTTPTransport(
            verify=tls, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises `AddressRefused`, and `httpx.HTTPError` when no address of the host answers."""
        host = request.url.raw_host.decode("ascii")
        addresses = await self._guard.addresses(host, port_of(request.url))
        failure: httpx.HTTPError | None = None
        for address in addresses[:ATTEMPTS]:
            pinned = httpx.Request(
                request.method,
                request.url.copy_with(host=str(address)),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
            try:
                return await self._inner.handle_async_request(pinned)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        assert failure is not None  # the guard gives at least one address
        raise failure

    async def aclose(self) -> None:
        await self._inner.aclose()
