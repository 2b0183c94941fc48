"""Who may use the bridge over HTTP."""

from collections.abc import Callable

from fastapi import Request

from shared.errors import Forbidden, Unauthorized
from twin_bridge.gate import VIEWERS_WATCH, Gate, offered_token
from twin_bridge.protocol import Role

Admit = Callable[[Request], None]
"""A dependency of routes; raises what keeps a request out."""


def admission(gate: Gate) -> Admit:
    """The bridge's token is needed where there is one, and a viewer's only reads; foreign origins stay out."""

    def admit(request: Request) -> None:
        role = gate.role(offered_token(request.headers.items()))
        if role is None:
            raise Unauthorized("Send the bridge's token (TWIN__TOKEN) as 'Authorization: Bearer TOKEN'.")
        if role is Role.VIEWER and request.method != "GET":
            raise Forbidden(VIEWERS_WATCH)
        if not gate.allows_origin(request.headers.get("origin"), request.headers.get("host", "")):
            raise Forbidden("Pages of this origin may not use the bridge. See TWIN__ALLOWED_ORIGINS.")

    return admit
