"""A web site on loopback that answers as a test says, also wrongly."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Handler = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Writes whatever it likes; the connection ends with it."""


@dataclass
class Page:
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Site:
    """Answers by path, without the query; an unknown path is 404. `asked` holds (path, headers) of every request."""

    port: int = 0
    scheme: str = "http"
    pages: dict[str, Page | Handler] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def page(self, path: str, body: str | bytes, status: int = 200, **headers: str) -> str:
        """Put a page there (header names with `_` for `-`); its address."""
        data = body.encode() if isinstance(body, str) else body
        named = {"content-type": "text/html; charset=utf-8"} if isinstance(body, str) else {}
        named.update({name.replace("_", "-"): value for name, value in headers.items()})
        self.pages[path] = Page(data, status, named)
        return self.url(path)

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        return self.page(path, b"", status, location=to)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = lines[0].split(" ")[1]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:]) if name}
            self.asked.append((path, headers))
            page = self.pages.get(path.partition("?")[0], Page(status=404))
            if callable(page):
                await page(writer)
                return
            known = {headers.get("if-none-match"), headers.get("if-modified-since")} - {None}
            if known & {page.headers.get("etag"), page.headers.get("last-modified")}:
                page = Page(status=304)
            head = {"content-length": str(len(page.body)), "connection": "close", **page.headers}
            text = "".join(f"{name}: {value}\r\n" for name, value in head.items())
            writer.write(f"HTTP/1.1 {page.status} x\r\n{text}\r\n".encode("latin-1") + page.body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side went away, or the test is over
        finally:
            writer.close()


@asynccontextmanager
async def web_site(tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Site]:
    site = Site(scheme="https" if tls else "http")
    server = await asyncio.start_server(site._answer, host, 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
