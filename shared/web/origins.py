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
    """The origins of one service: those listed, and pages of the machine itself.

    `own` are the addresses or names that the operator gave the service.
    """

    def __init__(self, listed: Iterable[str], *, keys_required: bool, own: Iterable[str] = ()) -> None:
        self.listed = [origin.rstrip("/").lower() for origin in listed]
        self._keys_required = keys_required
        self._names = {_hostname(name if "//" in name else f"//{name}") for name in (*self.listed, *own)}

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

    def answers_as(self, host: str) -> bool:
        """Whether a request to `host` (as the header gives it) means us.

        Where no key protects us, a foreign page whose name is pointed at us may read as its own all that we answer
        (DNS rebinding). Names without a dot are those of containers and local machines: no public page has one.
        """
        if self._keys_required or not host:  # every browser names the host
            return True
        name = _hostname(f"//{host}")
        return bool(name) and ("." not in name or name in self._names or _unmistakable(name))


class OriginGate:
    """Refuses requests that change something when they come from a page that may not speak with this service, and all
    that go to a name that may be a foreign page's own.

    Other reading is left to the browser: without CORS headers it shows a foreign page nothing of the answer.
    """

    def __init__(self, app: ASGIApp, origins: Origins, section: str) -> None:
        self.app = app
        self.origins = origins
        self.section = section

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if scope["method"] not in _SAFE and not self.origins.admit(headers.get("origin"), host):
            code = "foreign_origin"
            detail = f"Pages of this origin may not use this service. The operator can add it to {self._listing}."
        elif not self.origins.answers_as(host):
            code = "foreign_host"
            detail = (
                "Without keys this service answers only as localhost, as an IP address or as a name that it was given. "
                f"If {host} is its name, set {self.section}__URL, or add its origin to {self._listing}."
            )
        else:
            await self.app(scope, receive, send)
            return
        refusal = problem(403, title="Not allowed", detail=detail, code=code, instance=scope["path"])
        await refusal(scope, receive, send)

    @property
    def _listing(self) -> str:
        return f"{self.section}__ALLOWED_ORIGINS"


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
