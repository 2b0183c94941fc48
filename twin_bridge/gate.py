"""Who may speak with the bridge: tokens, browser origins, and how fast."""

import hmac
import time
from collections.abc import Callable, Iterable

from shared.errors import Unavailable
from shared.settings import Settings
from shared.web.origins import Origins

COMMAND_RATE, COMMAND_BURST = 20.0, 40
"""Commands a second, and at once. A slider sends ten a second."""
MESSAGE_RATE, MESSAGE_BURST = 100.0, 200
"""Messages of any kind. A client beyond this is broken or hostile, and is closed with 4429."""


class Gate:
    """The token and the origins of one bridge.

    Raises `Unavailable` when authentication is required and there is no token to ask for.
    """

    def __init__(self, settings: Settings) -> None:
        twin = settings.twin
        self.required = settings.auth_required(twin)
        self._token = twin.token.get_secret_value().encode()
        self.origins = Origins(twin.allowed_origins, keys_required=self.required, own=(twin.url, twin.host))
        if self.required and not self._token:
            raise Unavailable(
                "The twin bridge asks for authentication here, but there is no token to ask for. Set TWIN__TOKEN to a "
                "long random text and give it to the clients, or listen on 127.0.0.1 only (TWIN__HOST)."
            )

    def opens(self, token: str) -> bool:
        """Whether this token lets in; compared in constant time."""
        return not self.required or hmac.compare_digest(token.encode(), self._token)

    def allows_origin(self, origin: str | None, host: str) -> bool:
        """Whether a page of `origin` may connect to us as `host` (both as the headers give them)."""
        return self.origins.admit(origin, host)


class Bucket:
    """A token bucket: `rate` a second on average, `burst` at once."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, float(burst), clock
        self._left, self._at = float(burst), clock()

    def take(self) -> bool:
        """Take one; False if there is none left."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def offered_token(headers: Iterable[tuple[str, str]]) -> str:
    """The token of an HTTP request: `Authorization: Bearer TOKEN` or `X-API-Key: TOKEN`."""
    found = {name.lower(): value for name, value in headers}
    kind, _, bearer = found.get("authorization", "").partition(" ")
    return bearer.strip() if kind.lower() == "bearer" else found.get("x-api-key", "")
