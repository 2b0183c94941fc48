"""The lock on the routes: `principal = Depends(guard.require(Scope.ASK))`."""

from collections.abc import Callable

from fastapi import Request
from sqlalchemy import Engine

from shared.auth.keys import ANYBODY, Principal, Scope, check_key
from shared.errors import Forbidden, Unauthorized


def offered_key(request: Request) -> str:
    """The key that a request is judged by: of `Authorization: Bearer KEY`, else of `X-API-Key: KEY`; may be empty."""
    kind, _, bearer = request.headers.get("authorization", "").partition(" ")
    return bearer.strip() if kind.lower() == "bearer" else request.headers.get("x-api-key", "")


class Guard:
    """Checks the key of `offered_key`; lets everybody in while authentication is off."""

    def __init__(self, engine: Engine, *, required: bool) -> None:
        self.engine = engine
        self.required = required

    def require(self, scope: Scope) -> Callable[[Request], Principal]:
        """A FastAPI dependency giving the principal, or raising `Unauthorized` or `Forbidden`."""

        def principal(request: Request) -> Principal:
            if not self.required:
                return ANYBODY
            key = offered_key(request)
            if not key:
                raise Unauthorized(
                    "This service wants a key: send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'."
                )
            found = check_key(self.engine, key)
            if not found.may(scope):
                raise Forbidden(f"This key may not do that; it lacks the scope '{scope}'.")
            return found

        return principal
