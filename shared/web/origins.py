"""Which browser pages may use a service. Without a key every page that a visitor opens could otherwise do so."""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.web.problems import problem

LOCAL_PAGES = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"
"""Origins of pages served by the visitor's own machine, such as a WebGL build under test."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Origins:
    """The origins of one service: those listed, and pages of the machine itself."""

    def __init__(self, listed: Iterable[str], *, keys_required: bool) -> None:
        self.listed = [origin.rstrip("/").lower() for origin in listed]
        self._keys_required = keys_required

    def admit(self, origin: str | None, host: str) -> bool:
        """Whether a page of `origin` may speak with us as `host` (both as the headers give them).

        Without an origin it is not a browser. Pages of this same machine are welcome whatever their port. Where no
        key protects us the machine must be named by address or as localhost: any other name can be a foreign page's
        own, pointed at us (DNS rebinding).
        """
        if origin is None or origin.rstrip("/").lower() in self.listed:
            return True
        page, own = _hostname(origin), _hostname(f"//{host}")
        return bool(page) and page == own and (self._keys_required or _unmistakable(page))


class OriginGate:
    """Refuses requests that change something when they come from a page that may not speak with this service.

    Reading is left to the browser: without CORS headers it shows a foreign page nothing of the answer.
    """

    def __init__(self, app: ASGIApp, origins: Origins, setting: str) -> None:
        self.app = app
        self.origins = origins
        self.setting = setting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _SAFE:
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if self.origins.admit(headers.get("origin"), headers.get("host", "")):
            await self.app(scope, receive, send)
            return
        refusal = problem(
            403,
            title="Not allowed",
            detail=f"Pages of this origin may not use this service. The operator can add it to {self.setting}.",
            code="foreign_origin",
            instance=scope["path"],
        )
        await refusal(scope, receive, send)


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # brackets that are no IPv6 address
        return ""


def _unmistakable(hostname: str) -> bool:
    if hostname == "localhost":
        return True
    try:
        ip_address(hostname)
    except ValueError:
        return False
    return True
