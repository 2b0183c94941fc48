"""Who may ask, and in whose name other services are asked."""

from collections.abc import Callable, Mapping

from fastapi import Request

from shared.auth.keys import Principal

Allowed = Callable[[Request], Principal]
"""Raises unless the caller holds a key that may ask, where keys are required."""


def credential_of(request: Request) -> Mapping[str, str]:
    """The header that carries the caller's key, if he sent one."""
    return {name: value for name in ("authorization", "x-api-key") if (value := request.headers.get(name))}
