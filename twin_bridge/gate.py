"""Who may speak with the bridge: tokens, browser origins, and how fast."""

import hmac
from collections.abc import Iterable

from shared.errors import Unavailable
from shared.settings import Settings
from shared.web.origins import Origins
from twin_bridge.protocol import Role

COMMAND_RATE, COMMAND_BURST = 20.0, 40
"""Commands a second, and at once. A slider sends ten a second."""
MESSAGE_RATE, MESSAGE_BURST = 100.0, 200
"""Messages of any kind. A client beyond this is broken or hostile, and is closed with 4429."""
VIEWERS_WATCH = "This token may watch lamps, not switch them; TWIN__TOKEN may."


class Gate:
    """The tokens and the origins of one bridge.

    Raises `Unavailable` when authentication is required and there is no token to ask for.
    """

    def __init__(self, settings: Settings) -> None:
        twin = settings.twin
        self.required = settings.auth_required(twin)
        self._tokens = [
            (token.get_secret_value().encode(), role)
            for token, role in ((twin.token, Role.OPERATOR), (twin.viewer_token, Role.VIEWER))
            if token
        ]
        self.origins = Origins(twin.allowed_origins, keys_required=self.required, own=(twin.url, twin.host))
        if self.required and not twin.token:
            raise Unavailable(
                "The twin bridge asks for authentication here, but there is no token to ask for. Set TWIN__TOKEN to a "
                "long random text and give it to the clients, or listen on 127.0.0.1 only (TWIN__HOST)."
            )

    def role(self, token: str) -> Role | None:
        """What this token allows, None if it is not one of ours; compared in constant time.

        Without authentication everybody is an operator.
        """
        if not self.required:
            return Role.OPERATOR
        offered = token.encode()
        fits = [role for own, role in self._tokens if hmac.compare_digest(offered, own)]
        return fits[0] if fits else None

    def allows_origin(self, origin: str | None, host: str) -> bool:
        """Whether a page of `origin` may connect to us as `host` (both as the headers give them)."""
        return self.origins.admit(origin, host)


def offered_token(headers: Iterable[tuple[str, str]]) -> str:
    """The token of an HTTP request: `Authorization: Bearer TOKEN` or `X-API-Key: TOKEN`."""
    found = {name.lower(): value for name, value in headers}
    kind, _, bearer = found.get("authorization", "").partition(" ")
    return bearer.strip() if kind.lower() == "bearer" else found.get("x-api-key", "")
